namespace Diffusion.Inverse;

/// <summary>
/// What an iterative solution may cost, where it starts, and where its report goes. Solutions in closed form need none of it.
/// </summary>
public sealed record SolveRequest
{
    /// <summary>
    /// How exact the solution is; null: as float32 allows. A solver's data step stands between two estimates of a network and needs far
    /// less.
    /// </summary>
    public SolvePrecision? Precision { get; init; }

    /// <summary>A first guess of the solution, in its shape; null: zero. Borrowed. Conjugate gradients use it, LSQR does not.</summary>
    public Tensor? Start { get; init; }

    /// <summary>Told how each iterative solution went; null: nobody is.</summary>
    public SolveLog? Log { get; init; }
}
