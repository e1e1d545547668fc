using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Diffusion.Imaging;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Pipeline;

/// <summary>The files of one restored picture: the picture, its samples and their spread, and last the record.</summary>
public static class RestoredFiles
{
    private static readonly Regex Companion = new(
        @"^(.+)_(sheet|spread|sample\d+)$",
        RegexOptions.CultureInvariant | RegexOptions.Singleline
    );

    /// <summary>
    /// The outputs that a file may belong to: itself, and as a sheet, a spread or a sample the picture that these lie beside.
    /// </summary>
    internal static IEnumerable<string> OutputsOf(string file)
    {
        yield return file;
        if (Companion.Match(Path.ChangeExtension(file, null)) is { Success: true, Groups: var groups })
            foreach (string extension in new[] { Path.GetExtension(file), ".png" }.Distinct())
                yield return groups[1].Value + extension;
    }

    /// <summary>
    /// Whether a file is what a restoration wrote: a picture with its record, or the samples, spread and sheet beside it.
    /// </summary>
    public static bool IsResult(string file) => OutputsOf(file).Any(output => File.Exists(JobRecord.PathFor(output)));

    /// <summary>
    /// Writes <c>OUT.png</c>, with several samples <c>OUT_sample1.png</c> ..., <c>OUT_spread.tif</c> (float) and <c>OUT_spread.png</c>
    /// (stretched so that the largest is white), and the record.
    /// </summary>
    /// <param name="item">What was to be made.</param>
    /// <param name="measurement">What it was made of; borrowed.</param>
    /// <param name="restored">What was made; borrowed.</param>
    /// <param name="policy">How networks were computed.</param>
    /// <param name="overwrite">Replaces an existing picture.</param>
    /// <exception cref="ImageException">A file cannot be written.</exception>
    public static void Write(JobItem item, Measurement measurement, RestoredPicture restored, ComputePolicy policy, bool overwrite)
    {
        WriteOptions depth = ImageFormats.FromExtension(item.Output) is { } format
            ? new() { BitDepth = measurement.DepthIn(format) }
            : WriteOptions.Default;
        ImageFile.Write(item.Output, restored.Pages, depth with { Overwrite = overwrite });
        WriteSamples(item.Output, restored, depth);
        JobRecord.Write(item, Details(restored, policy));
    }

    private static void WriteSamples(string output, RestoredPicture restored, WriteOptions depth)
    {
        IReadOnlyList<RestoredPicture> pages = restored.Parts.Count == 0 ? [restored] : restored.Parts;
        if (pages[0].Spread?.Deviation is not { } spread)
            return;
        string stem = Path.ChangeExtension(output, null),
            extension = Path.GetExtension(output);
        for (int i = 0; i < pages[0].Samples.Count; i++)
            ImageFile.Write($"{stem}_sample{i + 1}{extension}", [.. pages.Select(page => page.Samples[i])], depth);
        using DisposeScope scope = torch.NewDisposeScope();
        Picture[] spreads = [.. pages.Select(page => new Picture(page.Spread!.Deviation.alias()) { BitDepth = 32, FullScale = 1 })];
        ImageFile.Write(stem + "_spread.tif", spreads);
        foreach (Picture one in spreads)
            one.Dispose();
        if (pages.Count > 1)
            return;
        Tensor map = spread.mean([1], keepdim: true);
        ImageFile.Write(stem + "_spread.png", map / map.max().clamp_min(1e-6));
    }

    private static JsonObject Details(RestoredPicture restored, ComputePolicy policy) =>
        new()
        {
            ["operator"] = restored.Operator,
            ["noise"] = restored.Noise,
            ["noise_estimated"] = restored.NoiseEstimated,
            ["noise_model"] = restored.NoiseModel,
            ["solver"] = restored.Solver,
            ["evaluations"] = restored.Evaluations,
            ["whitened_residual"] = restored.WhitenedResidual,
            ["inner_iterations"] = restored.InnerIterations,
            ["inner_unconverged"] = restored.Solves.Unconverged,
            ["inner_residual"] = restored.Solves.Unconverged > 0 ? restored.Solves.WorstResidual : null,
            ["seconds"] = Math.Round(restored.Seconds, 3),
            ["device"] = policy.Device.ToString(),
            ["dtype"] = policy.NetworkDtype.ToString().ToLowerInvariant(),
            ["dtype_reason"] = policy.DtypeReason,
            ["threads"] = torch.get_num_threads(),
            ["versions"] = new JsonObject(Versions.Current.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))),
        };
}
