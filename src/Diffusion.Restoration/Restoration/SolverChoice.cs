using Diffusion.Priors;
using Diffusion.Solvers;

namespace Diffusion.Restoration;

/// <summary>Makes the solver that the options ask for.</summary>
internal static class SolverChoice
{
    /// <summary>The name that means "choose for me".</summary>
    public const string Auto = "auto";

    /// <summary>The solver and its name.</summary>
    /// <exception cref="ArgumentException">Unknown names, or values out of range.</exception>
    public static (string Name, ISolver Solver) Create(RestoreOptions options, SolverCatalog catalog, PresetRequest request)
    {
        string name = options.Solver == Auto ? For(request.Prior.Kind) : options.Solver;
        return (name, catalog.Create(name, options.Preset, request, options.Set));
    }

    // CM4IR was made for consistency models; half-quadratic splitting wants the posterior mean that a diffusion prior gives.
    private static string For(PriorKind kind) => kind == PriorKind.Consistency ? "cm4ir" : "dpir";
}
