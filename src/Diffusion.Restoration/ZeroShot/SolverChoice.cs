using Diffusion.Restoration;
using Diffusion.Solvers;

namespace Diffusion.ZeroShot;

/// <summary>Makes the solver that the options ask for.</summary>
internal static class SolverChoice
{
    /// <summary>The solver and its name.</summary>
    /// <exception cref="ArgumentException">Unknown names, or values out of range.</exception>
    public static (string Name, ISolver Solver) Create(RestoreOptions options, SolverCatalog catalog, PresetRequest request)
    {
        string name = options.Solver == SolverTable.Auto ? SolverTable.Shipped.Advise(request).Solver : options.Solver;
        return (name, catalog.Create(name, options.Preset, request, options.Set));
    }
}
