using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Pipeline;

/// <summary>What a run gave, before it is cut up into pictures. Its tensors live in the runner's dispose scope.</summary>
/// <param name="Mean">[N,C,H,W] on [0,1]: the restored pictures; with several samples, their mean.</param>
/// <param name="All">The samples.</param>
/// <param name="Stacked">[S,N,C,H,W]; null for pictures that were restored area by area.</param>
/// <param name="Misfits">How each picture explains its measurement; empty where the method cannot say.</param>
/// <param name="Reports">What the runs took, per picture.</param>
internal sealed record RestoredParts(
    Tensor Mean,
    IReadOnlyList<Tensor> All,
    Tensor? Stacked,
    IReadOnlyList<Misfit> Misfits,
    IReadOnlyList<RunReport> Reports
)
{
    /// <summary>How the measurements' pixels lie on those of the restored pictures; null: as their sizes suggest.</summary>
    public PixelGrid? Grid { get; init; }

    /// <summary>The sources of random numbers of all samples.</summary>
    public required IReadOnlyList<PhiloxNoise> Sources { get; init; }

    /// <summary>Number of runs: samples or areas.</summary>
    public required int Runs { get; init; }

    private bool Several => All.Count > 1;

    /// <summary>The restored picture with the measurement's name, depth and, unless opaque, transparency; the caller disposes it.</summary>
    public Picture Picture(int index, Measurement measurement, bool opaque) => ToPicture(Mean, index, measurement, opaque);

    /// <summary>The samples, where there are several; the caller disposes them.</summary>
    public IReadOnlyList<Picture> Samples(int index, Measurement measurement, bool opaque) =>
        Several ? [.. All.Select(sample => ToPicture(sample, index, measurement, opaque))] : [];

    /// <summary>How the samples differ, where there are several; the caller disposes it.</summary>
    public SampleSpread? Spread(int index)
    {
        if (!Several || Stacked is null)
            return null;
        Tensor samples = Stacked.select(1, index);
        return new()
        {
            Count = All.Count,
            Mean = samples.mean([0L]).unsqueeze(0).cpu().DetachFromDisposeScope(),
            Deviation = samples.std(0, unbiased: true).unsqueeze(0).cpu().DetachFromDisposeScope(),
        };
    }

    /// <summary>A sentence about samples that cannot differ as the user may expect; null when there is nothing to say.</summary>
    public string? Sameness(string method)
    {
        int Drawn(params ReadOnlySpan<NoiseRole> roles)
        {
            int count = 0;
            foreach (NoiseRole role in roles)
                count += Sources.Sum(source => source.Drawn(role));
            return count;
        }
        return !Several || Drawn(NoiseRole.Step, NoiseRole.Spectral) > 0 ? null
            : Drawn(NoiseRole.Start) > 0
                ? $"{method} draws noise only at its start here, so the samples' spread is too small to mean anything; ddnm or ddrm draw "
                    + "more"
            : $"{method} is deterministic, all samples are the same; use a solver that draws noise, for example ddnm";
    }

    private Picture ToPicture(Tensor batch, int index, Measurement measurement, bool opaque)
    {
        // What was too large for the memory is not copied.
        Tensor pixels = Stacked is null
            ? Clipped(batch, measurement)
            : Clipped(batch.narrow(0, index, 1).clone(), measurement).cpu().contiguous();
        Tensor? alpha =
            opaque || measurement.Alpha is null ? null : AlphaChannel.Resize(measurement.Alpha, (int)pixels.shape[2], (int)pixels.shape[3]);
        return new Picture(pixels, alpha)
        {
            Name = measurement.Name,
            BitDepth = measurement.BitDepth,
            FullScale = measurement.FullScale,
            Range = measurement.Range,
            Metadata = measurement.Shape is { } seen
                ? Moved(measurement.Metadata, (seen.Height, seen.Width), ((int)pixels.shape[2], (int)pixels.shape[3]))
                : PictureMetadata.None,
        };
    }

    private PictureMetadata Moved(PictureMetadata metadata, (int, int) from, (int, int) to) =>
        Grid is { } grid ? metadata.For(from, to, grid) : metadata.For(from, to);

    // Float results keep values beyond [0,1].
    private static Tensor Clipped(Tensor pixels, Measurement measurement) => measurement.BitDepth > 16 ? pixels : pixels.clamp_(0, 1);
}
