using Diffusion.Imaging;
using Diffusion.Runtime;

namespace Diffusion.Restoration;

/// <summary>Writes a measurement with everything that belongs beside it.</summary>
public static class MeasurementFile
{
    /// <summary>The extension for a measurement whose format nobody chose: float TIFF for pictures, npz for the rest.</summary>
    public static string ExtensionFor(Measurement measurement) => measurement.Shape is null ? ".npz" : ".tif";

    /// <summary>Writes y, its side file, a PNG preview for float files, and the mask or kernel.</summary>
    /// <param name="path">
    /// The measurement. <c>.tif</c>, <c>.fits</c> and <c>.npz</c> keep float values; other pictures, and everything with <paramref
    /// name="clip"/>, are
    /// clipped and quantised.
    /// </param>
    /// <param name="degraded">What to write; borrowed.</param>
    /// <param name="clip">Clips to [0,1] and quantises in TIFF too.</param>
    /// <param name="overwrite">Replaces existing files.</param>
    /// <exception cref="ImageException">
    /// A measurement that is no picture was given a picture's name, or a file cannot be written.
    /// </exception>
    public static void Write(string path, DegradedPicture degraded, bool clip = false, bool overwrite = false)
    {
        Measurement measurement = degraded.Measurement;
        string extension = Path.GetExtension(path).ToLowerInvariant();
        string stem = Path.Combine(Path.GetDirectoryName(path) ?? "", Path.GetFileNameWithoutExtension(path));
        bool isFloat = !clip && (extension == ".npz" || ImageFormats.FromExtension(path) is ImageFormat.Tiff or ImageFormat.Fits);
        SideFile side = measurement.Side! with
        {
            Clipped = !isFloat,
            Dtype = isFloat ? "float32" : "uint" + (measurement.BitDepth > 8 ? 16 : 8),
        };
        if (extension == ".npz")
        {
            using Tensor y = measurement.Y.squeeze(0);
            OutputFile.Write(path, overwrite, stream => NpzFile.Write(stream, "y", y));
        }
        else if (measurement.Shape is null)
        {
            throw new ImageException(
                $"A measurement of {string.Join("x", measurement.Y.shape[1..])} values is no picture",
                path,
                "Write it as .npz"
            );
        }
        else
        {
            ImageFile.Write(
                path,
                measurement.Y,
                new WriteOptions
                {
                    BitDepth =
                        isFloat ? 32
                        : measurement.BitDepth > 8 ? 16
                        : 8,
                    Overwrite = overwrite,
                    Metadata = measurement.Metadata,
                },
                measurement.Alpha
            );
        }
        WriteOptions plain = new() { Overwrite = true };
        if (isFloat && measurement.Shape is not null)
            ImageFile.Write(stem + ".preview.png", measurement.Y, plain, measurement.Alpha);
        if (degraded.Mask is { } mask)
        {
            side = side with { Mask = Path.GetFileName(stem) + ".mask.png" };
            ImageFile.Write(stem + ".mask.png", mask.shape[1] == 3 && IsGray(mask) ? mask.narrow(1, 0, 1) : mask, plain);
        }
        if (degraded.Kernel is { } kernel)
        {
            side = side with { Kernel = Path.GetFileName(stem) + ".kernel.tif" };
            ImageFile.Write(stem + ".kernel.tif", kernel, plain with { BitDepth = 32 });
        }
        if (degraded.NoiseMap is { } map)
        {
            string name = Path.GetFileName(stem) + ".noise" + (measurement.Shape is null ? ".npz" : ".tif");
            side = side with { NoiseMap = name };
            string beside = Path.Combine(Path.GetDirectoryName(path) ?? "", name);
            if (measurement.Shape is null)
            {
                using Tensor values = map.squeeze(0);
                OutputFile.Write(beside, true, stream => NpzFile.Write(stream, "y", values));
            }
            else
            {
                ImageFile.Write(beside, map, plain with { BitDepth = 32 });
            }
        }
        // Last: a measurement whose side file is there is complete.
        OutputFile.Write(SideFile.PathFor(path), true, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(side.For(path).ToJson())));
    }

    private static bool IsGray(Tensor mask)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return mask.narrow(1, 0, 1).expand_as(mask).eq(mask).all().item<bool>();
    }
}
