using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Operators;
using Diffusion.Restoration;

namespace Diffusion.EndToEnd;

/// <summary>Small real pictures for the command.</summary>
internal static class TestPictures
{
    /// <summary>A piece of a bundled photograph.</summary>
    public static Picture Crop(int height, int width, bool gray = false, bool alpha = false)
    {
        using Picture photo = ImageFile.Read(Path.Combine(DiffusionCommand.DemoPhotos, "cat.png"));
        using Tensor piece = photo.Pixels.narrow(2, 100, height).narrow(3, 120, width);
        Tensor pixels = gray ? piece.mean([1], keepdim: true) : piece.clone();
        return new Picture(pixels, alpha ? torch.linspace(0, 1, width).expand(1, 1, height, width).contiguous() : null) { Name = "piece" };
    }

    /// <summary>Writes a piece of a photograph.</summary>
    public static string Write(string path, int height, int width, bool gray = false, bool alpha = false)
    {
        using Picture picture = Crop(height, width, gray, alpha);
        ImageFile.Write(path, picture);
        return path;
    }

    /// <summary>Degrades a piece of a photograph and writes the measurement with its side file.</summary>
    public static string Degrade(string path, string spec, double noise, int height, int width, bool gray = false, bool alpha = false)
    {
        using Picture picture = Crop(height, width, gray, alpha);
        OperatorSpec parsed = ShippedOperators.Catalog.Parse(spec);
        using DegradedPicture degraded = new Degrader(parsed, noise).Degrade(picture);
        MeasurementFile.Write(path, degraded);
        return path;
    }
}
