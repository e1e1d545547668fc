using Diffusion.Restoration;
using Diffusion.Solvers;

namespace Diffusion.ZeroShot;

/// <summary>Makes the solver that the options ask for.</summary>
internal static class SolverChoice
{
    /// <summary>The solver and the name of its algorithm, which is another one than was asked for where a preset stands for it.</summary>
    /// <exception cref="ArgumentException">Unknown names, or values out of range.</exception>
    public static (string Name, ISolver Solver) Create(RestoreOptions options, SolverCatalog catalog, PresetRequest request)
    {
        string name = options.Solver == SolverTable.Auto ? SolverTable.Shipped.Advise(request).Solver : options.Solver;
        ISolver solver = catalog.Create(name, options.Preset, request, options.Set);
        return (SolverEntry.NameOf(solver), solver);
    }
}
