using Diffusion.Imaging;
using Diffusion.Metrics;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Cli.Restoring;

/// <summary>Writes before/after pictures.</summary>
internal static class BeforeAfter
{
    /// <summary>The measurement, the restored picture, and the clean one where it is known.</summary>
    public static void Write(
        string path,
        Measurement measurement,
        RestoredPicture restored,
        Measurement? clean = null,
        PictureMetrics? metrics = null
    )
    {
        using ComputeScope scope = new();
        List<SheetPanel> panels = [];
        if (measurement.Shape is not null)
            panels.Add(new("measurement", measurement.Y.clamp(0, 1)));
        string score = metrics is null ? "" : FormattableString.Invariant($", {metrics.Psnr:0.00} dB");
        panels.Add(new($"restored: {restored.Method}{score}", restored.Picture.Pixels));
        if (clean is not null)
            panels.Add(new("original", clean.Y));
        Sheet.Write(path, panels);
    }
}
