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
        string name = options.Solver == Auto ? For(request) : options.Solver;
        return (name, catalog.Create(name, options.Preset, request, options.Set));
    }

    // Measured pixels want no noise over them: half-quadratic splitting, unless the prior is a consistency model. CM4IR is ahead everywhere else.
    private static string For(PresetRequest request) => request.MeasuresPixels && request.Prior.Kind == PriorKind.PosteriorMean ? "dpir" : "cm4ir";
}
