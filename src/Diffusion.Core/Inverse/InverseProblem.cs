using Diffusion.Models;
using Diffusion.Runtime;

namespace Diffusion.Inverse;

/// <summary>The scale that pictures and measurements are on.</summary>
public enum PixelRange
{
    /// <summary>[0,1]: files and the public API.</summary>
    Unit,

    /// <summary>[-1,1]: networks and most solvers.</summary>
    Symmetric,
}

/// <summary>y = A x + noise, to be solved for x.</summary>
/// <remarks>
/// Noise of standard deviation sigma r_i in value i is that of the whitened problem y_i / r_i = (A x)_i / r_i + sigma n, which is equally
/// noisy everywhere: <see cref="Whitened"/> has every solver weigh each measured value by how sure it is.
/// </remarks>
/// <param name="Y">[N, A.Output] float32; borrowed.</param>
/// <param name="A">The operator; borrowed.</param>
/// <param name="Noise">The noise, on the scale of <paramref name="Range"/>: one standard deviation, or one per picture.</param>
/// <param name="Condition">Class labels, for priors that need them.</param>
/// <param name="Range">The scale that <paramref name="Y"/>, <paramref name="Noise"/> and the result are on.</param>
/// <param name="Unevenness">
/// r, [N, A.Output] or [1, A.Output] for all pictures: how noisy each value is in units of <paramref name="Noise"/>, greater than 0;
/// borrowed. null: all are equally noisy.
/// </param>
public sealed record InverseProblem(
    Tensor Y,
    LinearOperator A,
    GaussianNoise Noise,
    Condition Condition = default,
    PixelRange Range = PixelRange.Unit,
    Tensor? Unevenness = null
)
{
    /// <summary>Number of pictures.</summary>
    public long Batch => Y.shape[0];

    /// <summary>
    /// The same problem for pictures on [-1,1]: x' = 2x - 1, so y' = 2y - A(1) and sigma' = 2 sigma. Right for any linear operator.
    /// </summary>
    public InverseProblem ToSymmetric()
    {
        if (Range == PixelRange.Symmetric)
            return this;
        using Tensor one = torch.ones(A.Input.Batch(1), device: Y.device);
        using Tensor shift = A.Apply(one);
        return this with { Y = Y * 2 - shift, Noise = Noise * 2, Range = PixelRange.Symmetric };
    }

    /// <summary>The same problem for pictures on [0,1].</summary>
    public InverseProblem ToUnit()
    {
        if (Range == PixelRange.Unit)
            return this;
        using Tensor one = torch.ones(A.Input.Batch(1), device: Y.device);
        using Tensor shift = A.Apply(one);
        return this with { Y = (Y + shift) / 2, Noise = Noise * 0.5, Range = PixelRange.Unit };
    }

    /// <summary>
    /// The problem of some of the pictures, in their order; <see cref="Y"/> and, of several pictures, <see cref="Unevenness"/> are the
    /// caller's.
    /// </summary>
    public InverseProblem Select(IReadOnlyList<int> pictures)
    {
        using Tensor index = torch.tensor([.. pictures.Select(picture => (long)picture)], device: Y.device);
        return this with
        {
            Y = Y.index_select(0, index),
            Noise = Noise.Select(pictures),
            Condition = Condition.Select(pictures),
            Unevenness = Unevenness is { } own && own.shape[0] > 1 ? own.index_select(0, index) : Unevenness,
        };
    }

    /// <summary>
    /// The pictures that a solver can take together: those of equal noise; each alone where its values are unequally noisy.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<int>> Groups() =>
        Unevenness is null ? Noise.Groups((int)Batch) : [.. Enumerable.Range(0, (int)Batch).Select(picture => (int[])[picture])];

    /// <summary>
    /// The same problem with equally noisy values, of one picture; itself where they are. <see cref="A"/> borrows the operator that was
    /// given; it and <see cref="Y"/> are the caller's where there was unevenness.
    /// </summary>
    /// <exception cref="InvalidOperationException">There are several pictures, each with an operator of its own.</exception>
    public InverseProblem Whitened()
    {
        if (Unevenness is null)
            return this;
        if (Batch != 1)
            throw new InvalidOperationException("Pictures of uneven noise are whitened one by one. Select them first.");
        return this with { A = new WhitenedOperator(A, Unevenness), Y = Y / Unevenness, Unevenness = null };
    }

    /// <summary>Brings a picture on the scale <paramref name="from"/> to this problem's scale.</summary>
    /// <param name="x">[N,C,H,W], borrowed.</param>
    /// <param name="from">The scale of <paramref name="x"/>.</param>
    /// <returns>[N,C,H,W]: x itself where the scales are the same, otherwise a new tensor that the caller owns.</returns>
    public Tensor FromRange(Tensor x, PixelRange from) =>
        from == Range ? x
        : from == PixelRange.Symmetric ? (x + 1) / 2
        : x * 2 - 1;
}
