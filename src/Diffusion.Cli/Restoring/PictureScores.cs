using System.Text.Json.Nodes;
using Diffusion.Metrics;
using Diffusion.Runtime;

namespace Diffusion.Cli.Restoring;

/// <summary>Metrics as JSON and as a line.</summary>
internal static class PictureScores
{
    /// <summary>Measures on 8-bit values.</summary>
    /// <exception cref="DiffusionException">The pictures are of different shapes.</exception>
    public static PictureMetrics Of(Tensor restored, Tensor clean, string where, int border = 0, bool eightBit = true)
    {
        if (!restored.shape.SequenceEqual(clean.shape))
            throw new DiffusionException(
                $"The pictures differ in shape: {Describe(restored)} against {Describe(clean)}",
                where,
                "Compare pictures of one size and number of channels"
            );
        if (2 * border >= Math.Min(clean.shape[2], clean.shape[3]))
            throw new DiffusionException($"A border of {border} leaves nothing of {Describe(clean)}", where, "Use a smaller --border");
        if (Math.Max(clean.shape[2], clean.shape[3]) - 2 * border < 2)
            throw new DiffusionException("One pixel is too little to compare", where, "Compare larger pictures, or use a smaller --border");
        // Channels that are no colours are compared one by one.
        if (clean.shape[1] is not (1 or 3))
            return Mean([.. restored.split(1, 1).Zip(clean.split(1, 1), (one, other) => Of(one, other, where, border, eightBit))]);
        return PictureMetrics.Compute(restored.cpu().clamp(0, 1), clean.cpu().clamp(0, 1), border, eightBit);
    }

    /// <summary>The mean of each.</summary>
    public static PictureMetrics Mean(IReadOnlyCollection<PictureMetrics> all) =>
        new()
        {
            Psnr = all.Average(m => m.Psnr),
            Ssim = all.Average(m => m.Ssim),
            PsnrY = all.Average(m => m.PsnrY),
            Niqe = all.Average(m => m.Niqe),
            Gmsd = all.Average(m => m.Gmsd),
        };

    /// <summary>All of them; equal pictures have no finite PSNR: null.</summary>
    public static JsonObject ToJson(this PictureMetrics metrics) =>
        new()
        {
            ["psnr"] = Finite(metrics.Psnr),
            ["ssim"] = metrics.Ssim is { } ssim ? Finite(ssim) : null,
            ["psnr_y"] = Finite(metrics.PsnrY),
            ["niqe"] = metrics.Niqe is { } niqe ? Finite(niqe) : null,
            ["gmsd"] = Finite(metrics.Gmsd),
        };

    /// <summary>The two that everybody reads.</summary>
    public static string ToLine(this PictureMetrics metrics) =>
        FormattableString.Invariant($"PSNR {metrics.Psnr:0.00} dB, SSIM {metrics.Ssim:0.0000}");

    private static JsonNode? Finite(double value) => double.IsFinite(value) ? Math.Round(value, 6) : null;

    private static string Describe(Tensor x) => $"{x.shape[2]}x{x.shape[3]} with {x.shape[1]} channel{(x.shape[1] == 1 ? "" : "s")}";
}
