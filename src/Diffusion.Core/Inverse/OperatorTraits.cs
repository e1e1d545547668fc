namespace Diffusion.Inverse;

/// <summary>What a solver, a classical baseline or a tiler may want to know about an operator's structure.</summary>
public sealed record OperatorTraits
{
    /// <summary>It only removes values: y = mask * x in the shape of the picture.</summary>
    public bool Mask { get; init; }

    /// <summary>It convolves.</summary>
    public bool Blur { get; init; }

    /// <summary>
    /// It measures coefficients of a transform of the whole picture: what is missing is spread over all of it.
    /// </summary>
    public bool Transform { get; init; }

    /// <summary>
    /// Of such coefficients those of the coarse structure are mostly missing too, so that no first guess is near the picture.
    /// </summary>
    public bool CoarseMissing { get; init; }

    /// <summary>
    /// Each pixel is measured, but not which colour it has, of which a prior knows little: the longer it looks, the further colours drift.
    /// </summary>
    public bool ColorMissing { get; init; }

    /// <summary>It reduces by this factor; 1 = it doesn't.</summary>
    public int Reduction { get; init; } = 1;

    /// <summary>A A^T = I.</summary>
    public bool OrthonormalRows { get; init; }

    /// <summary>A A^T = c I: this c; null where the rows are not orthogonal and of one length.</summary>
    public double? RowNormSquared
    {
        get => OrthonormalRows ? 1 : field;
        init;
    }

    /// <summary>
    /// A A^T = c M with M the <see cref="LinearOperator.Restrict"/> to what is measured, which is everything where <see
    /// cref="RowNormSquared"/> is not null: this c; null where the rows that are measured are not orthogonal and of one length.
    /// </summary>
    public double? MeasuredRowNormSquared
    {
        get => field ?? RowNormSquared;
        init;
    }

    /// <summary>Output pixels depend on input pixels nearby only: the pattern's period and the reach in pixels.</summary>
    public (int Period, int Support)? Local { get; init; }

    /// <summary>Pseudo-inverse and normal equations have a closed form.</summary>
    public bool ClosedForm { get; init; }

    /// <summary>
    /// It shows one colour of each pixel: the side of the square block that repeats, and the colour's number by row and column in it.
    /// </summary>
    public (int Side, Func<int, int, int> ColorAt)? Mosaic { get; init; }

    /// <summary>
    /// The name of the classical restoration that the operator's first guess is; null where that is no more than a start.
    /// </summary>
    public string? Classical { get; init; }

    /// <summary>
    /// How much of the picture is measured faintly, neither well nor not at all: the mean of eta s^2 / (s^2 + eta)^2 over its components
    /// with singular values s and eta = ||A||^2 / 1000, which is the noise power that a damped
    /// inverse leaves, times eta. 0.02 of a Gaussian of sigma 2, more of kernels whose spectrum has lobes; null where it is not known.
    /// </summary>
    public double? Faintness { get; init; }

    /// <summary>The <see cref="Faintness"/> of an operator with these squared singular values, one per component of the picture.</summary>
    /// <param name="squares">[components] of any shape, not negative; borrowed.</param>
    public static double FaintnessOf(Tensor squares)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor relative = squares.to(ScalarType.Float64) / squares.max().to(ScalarType.Float64).clamp_min(1e-30);
        return (1e-3 * relative / (relative + 1e-3).square()).mean().item<double>();
    }
}
