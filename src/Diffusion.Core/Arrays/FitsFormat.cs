using Diffusion.Runtime;

namespace Diffusion.Arrays;

/// <summary>
/// FITS files: value = BZERO + BSCALE * stored, NaN where an integer is BLANK. Rows stand in the order of the file, which most viewers show
/// from below.
/// </summary>
internal static class FitsFormat
{
    private const int MostUnits = 1000;

    /// <summary>The first bytes of a FITS file.</summary>
    public static ReadOnlySpan<byte> Magic => "SIMPLE  ="u8;

    /// <summary>Reads the picture of one unit.</summary>
    /// <param name="stream">Seekable; borrowed.</param>
    /// <param name="hdu">The unit, counted from 0; null takes the first that has a picture, with a note where there are several.</param>
    /// <param name="where">For error messages.</param>
    /// <exception cref="ImageException">Damaged, or no picture in that unit.</exception>
    public static NumericArray Read(Stream stream, int? hdu, string where) => Open(stream, hdu, where).Values();

    /// <summary>Finds a unit and reads its header.</summary>
    /// <inheritdoc cref="Read"/>
    public static FitsUnit Open(Stream stream, int? hdu, string where)
    {
        List<FitsUnit> units = [];
        try
        {
            while (stream.Position < stream.Length && units.Count < MostUnits)
            {
                FitsUnit unit = new(stream, units.Count, FitsHeader.Read(stream), where);
                units.Add(unit);
                // Padding after the last unit, or a file that is cut off: enough where the unit that is wanted is whole.
                if (unit.End > stream.Length)
                    break;
                stream.Position = unit.End;
            }
        }
        catch (Exception exception) when (exception is EndOfStreamException or InvalidDataException && units.Count > 0 && hdu is null)
        {
            // Some programs write rubbish after the last unit.
        }
        catch (Exception exception) when (exception is EndOfStreamException or InvalidDataException or OverflowException)
        {
            throw new ImageException("The FITS file is damaged", where, "Copy or write it again", exception);
        }
        FitsUnit[] pictures = [.. units.Where(u => u.IsPicture)];
        if (hdu is { } wanted)
            return wanted < 0 || wanted >= units.Count
                    ? throw new ImageException($"There is no HDU {wanted}", where, $"The file has {units.Count}, counted from 0")
                : units[wanted].IsPicture ? units[wanted]
                : throw new ImageException($"HDU {wanted} holds no picture", where, units[wanted].Advice(pictures));
        if (pictures.Length == 0)
            throw new ImageException("The FITS file holds no picture", where, units[^1].Advice(pictures));
        if (pictures.Length > 1)
            pictures[0].Notes =
            [
                $"HDU {pictures[0].Index} of {pictures.Length} with pictures ({string.Join(", ", pictures.Select(p => p.Label))}) is read; "
                    + $"hdu={pictures[1].Index} takes the next",
            ];
        return pictures[0];
    }
}
