using Diffusion.Imaging;
using Diffusion.Restoration;

namespace Diffusion.Cli.Restoring;

/// <summary>Writes what belongs to several samples: each one, and the map of their spread.</summary>
internal static class SampleFiles
{
    /// <summary>
    /// Writes <c>OUT_sample1.png</c> ..., <c>OUT_spread.tif</c> (float) and <c>OUT_spread.png</c> (stretched so that the largest is white).
    /// </summary>
    public static void Write(string output, RestoredPicture restored)
    {
        if (restored.Spread?.Deviation is not { } spread)
            return;
        string stem = Path.ChangeExtension(output, null),
            extension = Path.GetExtension(output);
        for (int i = 0; i < restored.Samples.Count; i++)
            ImageFile.Write($"{stem}_sample{i + 1}{extension}", restored.Samples[i]);
        ImageFile.Write(stem + "_spread.tif", spread, new WriteOptions { BitDepth = 32 });
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor map = spread.mean([1], keepdim: true);
        ImageFile.Write(stem + "_spread.png", map / map.max().clamp_min(1e-6));
    }
}
