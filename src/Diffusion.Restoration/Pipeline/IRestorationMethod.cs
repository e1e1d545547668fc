using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.Solvers;

namespace Diffusion.Pipeline;

/// <summary>
/// A way of restoring: a prior with an operator and a solver, or a network that was trained for it, or anything else. It knows what a
/// batch of measurements means for it; everything around it (files, memory, areas, samples, records) is <see cref="RestorationRunner"/>'s.
/// </summary>
/// <remarks>
/// One that users choose by name is marked with <see cref="RestorationMethodAttribute"/>, has a constructor without parameters and settings
/// like a solver's.
/// </remarks>
public interface IRestorationMethod : IDisposable
{
    /// <summary>Loads what it needs. Called once, before anything else, perhaps on another thread than what follows.</summary>
    /// <param name="policy">Device, number format, threads.</param>
    void Open(ComputePolicy policy);

    /// <summary>
    /// Told the memory that it may take, before each batch: a method that can do with less at the price of time decides by it.
    /// </summary>
    /// <param name="bytes">Of the whole process.</param>
    void KeepWithin(long bytes) { }

    /// <summary>Measurements of one kind are restored together; cheap.</summary>
    /// <param name="measurement">Borrowed.</param>
    /// <exception cref="DiffusionException">It cannot be restored by this method.</exception>
    string KindOf(Measurement measurement);

    /// <summary>Whether each channel of a measurement is restored as a gray picture of its own.</summary>
    /// <param name="measurement">Borrowed.</param>
    bool TakesChannels(Measurement measurement) => measurement.IsOfChannels;

    /// <summary>Takes measurements of one kind in hand; cheap, nothing is computed yet.</summary>
    /// <param name="batch">At least one; borrowed for as long as the result is used.</param>
    IRestoration Begin(IReadOnlyList<Measurement> batch);

    /// <summary>
    /// Seconds per pixel of one evaluation of the network, measured on a small picture when it is first asked for; 0 where that is nothing.
    /// </summary>
    /// <param name="measurement">A measurement that stands for those to come; borrowed.</param>
    double SecondsPerPixel(Measurement measurement) => 0;
}

/// <summary>
/// A batch of measurements in the hands of a method. Pictures that are too large are restored part by part: what is asked for an area
/// concerns that rectangle of the restored pictures, what is asked for null the whole of them.
/// </summary>
public interface IRestoration : IDisposable
{
    /// <summary>The shape of the restored pictures; expected before <see cref="Choose"/>, known after it.</summary>
    ImageShape Output { get; }

    /// <summary>The degradation's canonical spec, for methods that know one.</summary>
    string? Operator => null;

    /// <summary>How the measurements' pixels lie on those of the restored pictures; null where nobody knows.</summary>
    PixelGrid? Grid => null;

    /// <summary>The side beyond which pictures are better computed in tiles, though there is memory enough; null: none.</summary>
    int? TilesBeyond => null;

    /// <summary>How the pictures may be cut into areas; null where they are restored as a whole or not at all.</summary>
    AreaGrid? Areas => null;

    /// <summary>Bytes that the process holds at the peak of a run.</summary>
    /// <param name="height">Rows of the restored part.</param>
    /// <param name="width">Columns of it.</param>
    /// <param name="batch">Pictures at a time.</param>
    /// <param name="tile">Side of the network's tiles; null: none.</param>
    long Bytes(int height, int width, int batch, int? tile);

    /// <summary>Pixels that one evaluation computes: more than the part's where tiles overlap.</summary>
    long Pixels(int height, int width, int? tile) => (long)height * width;

    /// <summary>
    /// Settles what depends on the data, once: the noise where it is estimated, the algorithm where it is chosen, its settings. With an
    /// area, that area stands for all.
    /// </summary>
    /// <returns>One choice per picture.</returns>
    /// <exception cref="DiffusionException">The measurement does not fit, or something about it has to be said and is not.</exception>
    /// <exception cref="ArgumentException">Unknown names or impossible values in the settings.</exception>
    IReadOnlyList<MethodChoice> Choose(PictureArea? area);

    /// <summary>Restores.</summary>
    /// <param name="area">What; of a size that <see cref="Areas"/> allows, or null.</param>
    /// <param name="context">Noise, tiles, progress, cancellation, trace.</param>
    /// <returns>[N,C,h,w] float32 on [0,1], not clipped; the caller owns it.</returns>
    /// <exception cref="NumericalException">NaN or infinity appeared.</exception>
    Tensor Run(PictureArea? area, MethodContext context);

    /// <summary>How well restored pictures explain the measurements; empty for methods that cannot say.</summary>
    /// <param name="area">What was restored.</param>
    /// <param name="x">What <see cref="Run"/> returned, [N,C,h,w]; borrowed.</param>
    /// <returns>One per picture.</returns>
    IReadOnlyList<Misfit> Compare(PictureArea? area, Tensor x) => [];
}

/// <summary>How the pictures of a method may be cut into areas.</summary>
/// <param name="Picture">The whole picture.</param>
/// <param name="Period">Areas begin and end at multiples of this, in pixels.</param>
/// <param name="Reach">Pixels at a cut whose result depends on what was cut off.</param>
public sealed record AreaGrid(ImageShape Picture, int Period, int Reach);

/// <summary>What a method does with one picture.</summary>
/// <param name="Method">The algorithm's name.</param>
/// <param name="Evaluations">Evaluations of its network, exactly.</param>
/// <param name="Noise">The noise level on [0,1]; null for methods that need none.</param>
/// <param name="NoiseEstimated">Whether it was estimated.</param>
public sealed record MethodChoice(string Method, int Evaluations, double? Noise = null, bool NoiseEstimated = false)
{
    /// <summary>The noise where one number does not say it: <c>poisson:gain=G,read=R</c>, <c>map:FILE</c>; null where it does.</summary>
    public string? NoiseModel { get; init; }

    /// <summary>What looks wrong about the measurement, a sentence without a full stop; null when there is nothing.</summary>
    public string? Doubt { get; init; }

    /// <summary>Whether the measurement's transparency told what is missing, so that the restored picture has none.</summary>
    public bool Opaque { get; init; }
}

/// <summary>What a run took.</summary>
/// <param name="Evaluations">Evaluations of the network, counted.</param>
/// <param name="Solves">How data steps without a closed form went, in this run and those before it.</param>
public readonly record struct RunReport(int Evaluations, SolveLog Solves);

/// <summary>What surrounds a run of a method.</summary>
public sealed record MethodContext
{
    /// <summary>
    /// Makes the source of random numbers for some pictures of the batch, by their indices. What a picture draws does not depend on which
    /// others are drawn for.
    /// </summary>
    public required Func<IReadOnlyList<int>, NoiseSource> Noise { get; init; }

    /// <summary>Side of the network's tiles; null: none.</summary>
    public int? Tile { get; init; }

    /// <summary>Told synchronously after each step.</summary>
    public Action<SolverStep>? Progress { get; init; }

    /// <summary>Checked before each network evaluation.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>Handed named intermediates, borrowed for the time of the call. Costs nothing when null.</summary>
    public Action<string, Tensor>? Trace { get; init; }

    /// <summary>Told what the run of some pictures of the batch took, when it is over.</summary>
    public Action<IReadOnlyList<int>, RunReport>? Report { get; init; }
}
