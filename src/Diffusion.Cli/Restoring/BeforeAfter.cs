using Diffusion.Imaging;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Cli.Restoring;

/// <summary>Writes before/after pictures.</summary>
internal static class BeforeAfter
{
    /// <summary>The measurement beside the restored picture.</summary>
    public static void Write(string path, Measurement measurement, RestoredPicture restored)
    {
        using ComputeScope scope = new();
        Tensor after = restored.Picture.Pixels;
        List<Tensor> panels = [];
        if (measurement.Shape is not null) panels.Add(Fit(measurement.Y.clamp(0, 1), after));
        panels.Add(after);
        ImageFile.Write(path, torch.cat([.. panels], 3));
    }

    private static Tensor Fit(Tensor x, Tensor like)
    {
        Tensor sized = PillowResize.Resize(x, (int)like.shape[2], (int)like.shape[3], ResampleKernel.Box);
        return sized.shape[1] == like.shape[1] ? sized : sized.mean([1], keepdim: true).expand(like.shape);
    }
}
