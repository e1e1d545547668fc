using Diffusion.Imaging;
using Diffusion.Models;
using Diffusion.Runtime;

namespace Diffusion.Training;

/// <summary>A picture of what a prior does: noisy, denoised in one evaluation, and clean, row by row.</summary>
internal static class ValidationSheet
{
    private const int Rows = 3,
        Side = 192;
    private const double Noise = 50 / 127.5;

    /// <summary>Writes the sheet.</summary>
    public static void Write(string path, IDenoiser denoiser, IReadOnlyList<TrainingPhoto> photos)
    {
        using ComputeScope scope = new();
        List<SheetPanel> panels = [];
        foreach (TrainingPhoto photo in photos.Take(Rows))
        {
            using Tensor whole = Validation.ToTensor(photo);
            long height = Math.Min(Side, photo.Height),
                width = Math.Min(Side, photo.Width);
            Tensor clean = whole.narrow(2, (photo.Height - height) / 2, height).narrow(3, (photo.Width - width) / 2, width).contiguous();
            Tensor noisy = clean + Noise * new PhiloxNoise(0, [ImageKey.FromName(photo.Name)]).Draw(NoiseRole.Measurement, clean.shape);
            panels.Add(Panel("noisy", noisy));
            panels.Add(Panel("denoised", denoiser.Denoise(noisy, Noise)));
            panels.Add(Panel("clean", clean));
        }
        using Tensor sheet = Sheet.Draw(panels, new SheetOptions { Columns = 3 });
        ImageFile.Write(path, sheet, new WriteOptions { Overwrite = true });
    }

    private static SheetPanel Panel(string caption, Tensor symmetric) => new(caption, ((symmetric + 1) / 2).clamp(0, 1));
}
