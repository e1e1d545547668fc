using Diffusion.Imaging;
using Diffusion.Runtime;

namespace Diffusion.Restoration;

/// <summary>The format of a result that nobody chose: PNG, where that can hold it.</summary>
public static class ResultFormat
{
    private const int Float = 32;

    /// <summary>
    /// <c>.tif</c> for stacks, floats and channels that are no colours, <c>.fits</c> for floats of FITS files, <c>.png</c> for everything
    /// else, results of what <c>degrade</c> made among it.
    /// </summary>
    /// <param name="input">The measurement's file, or <c>-</c>. Of floats and channels only its header is read.</param>
    /// <param name="reading">How it is read.</param>
    public static string ExtensionFor(string input, MeasurementOptions reading)
    {
        const string Picture = ".png",
            Data = ".tif",
            Sky = ".fits";
        if (reading.Pages is { IsSeveral: true })
            return Data;
        if (input == ImageFile.Standard || reading.Depth < Float)
            return Picture;
        ImageFormat? format = ImageFormats.FromExtension(input);
        string result = format == ImageFormat.Fits ? Sky : Data;
        if (reading.Depth == Float)
            return result;
        try
        {
            // No other picture holds floats.
            if (format is not (null or ImageFormat.Tiff or ImageFormat.Fits) || SideFile.Find(input) is not null)
                return Picture;
            if (MeasurementArray.Holds(input))
                return Data;
            PictureInfo info = ImageFile.Identify(input, new ReadOptions { Hdu = reading.Hdu, AnyChannels = true });
            return info.BitDepth == Float || info.Channels is not (1 or 3) ? result : Picture;
        }
        catch (DiffusionException)
        {
            return Picture; // Whoever reads it says what is wrong.
        }
    }
}
