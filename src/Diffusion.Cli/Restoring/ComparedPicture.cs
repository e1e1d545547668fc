using Diffusion.Imaging;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Cli.Restoring;

/// <summary>Pictures that are compared, read as <c>restore</c> reads them: any file, array or range.</summary>
internal static class ComparedPicture
{
    /// <summary>Reads one.</summary>
    /// <param name="file">The file.</param>
    /// <param name="reading">How; a range is that of the file that is on another scale, a picture beside it is as it is.</param>
    /// <exception cref="ImageException">It is no picture of known values on [0,1].</exception>
    public static Measurement Read(string file, MeasurementOptions reading)
    {
        reading = reading with { Operator = null };
        Measurement picture = Measurement.Open(file, reading with { Range = null });
        if (reading.Range is { } range && (range.IsAuto || !IsOnAnotherScale(picture, range)))
        {
            picture.Dispose();
            picture = Measurement.Open(file, reading);
        }
        try
        {
            picture.CheckScale();
            return picture is { Known: null } && (picture.Shape is not null || picture.IsOfChannels)
                ? picture
                : throw new ImageException(
                    picture.Known is null ? "This is no picture" : "The picture holds NaN or infinity",
                    file,
                    "Compare pictures of known values"
                );
        }
        catch
        {
            picture.Dispose();
            throw;
        }
    }

    /// <summary>Reads the clean picture of a restored one: key and unit are the measurement's, which it may have, too.</summary>
    /// <exception cref="ImageException">As for any.</exception>
    public static Measurement ReadReference(string file, MeasurementOptions reading)
    {
        try
        {
            return Read(file, reading);
        }
        catch (ImageException) when (reading.Key is not null || reading.Hdu is not null)
        {
            return Read(file, reading with { Key = null, Hdu = null });
        }
    }

    private static bool IsOnAnotherScale(Measurement picture, ValueRange range)
    {
        const double Headroom = 1.5;
        if (picture.FullScale > 1)
            return range.White > Headroom * picture.FullScale || range.White <= Headroom;
        float largest = picture.Y.max().item<float>();
        return range.White > Headroom ? largest <= Headroom : largest > Headroom * range.White;
    }
}
