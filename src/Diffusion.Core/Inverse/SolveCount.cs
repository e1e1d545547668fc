namespace Diffusion.Inverse;

/// <summary>How often normal equations were solved by iterations.</summary>
/// <param name="Solutions">Number of solutions.</param>
/// <param name="Iterations">Iterations of all of them.</param>
public readonly record struct SolveCount(long Solutions, long Iterations)
{
    /// <summary>Iterations of a solution on average; null without any.</summary>
    public double? Average => Solutions == 0 ? null : (double)Iterations / Solutions;

    /// <summary>Both together.</summary>
    public static SolveCount operator +(SolveCount a, SolveCount b) => new(a.Solutions + b.Solutions, a.Iterations + b.Iterations);

    /// <summary>Those of <paramref name="a"/> that came after <paramref name="b"/>.</summary>
    public static SolveCount operator -(SolveCount a, SolveCount b) => new(a.Solutions - b.Solutions, a.Iterations - b.Iterations);
}
