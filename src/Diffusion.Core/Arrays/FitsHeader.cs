using System.Globalization;
using System.Text;

namespace Diffusion.Arrays;

/// <summary>The header of a FITS unit: cards of 80 characters in blocks of 2880 bytes.</summary>
/// <param name="Cards">The cards as they stand in the file, without END.</param>
internal sealed record FitsHeader(IReadOnlyList<string> Cards)
{
    /// <summary>Bytes of a block.</summary>
    public const int Block = 2880;

    private const int CardLength = 80,
        MostBlocks = 4096;

    /// <summary>Reads a header from a stream's position.</summary>
    /// <exception cref="InvalidDataException">The stream ends, or the header does not.</exception>
    public static FitsHeader Read(Stream stream)
    {
        List<string> cards = [];
        byte[] block = new byte[Block];
        for (int i = 0; i < MostBlocks; i++)
        {
            stream.ReadExactly(block);
            for (int at = 0; at < Block; at += CardLength)
            {
                string card = Encoding.Latin1.GetString(block, at, CardLength);
                if (card.AsSpan().TrimEnd().SequenceEqual("END"))
                    return new FitsHeader(cards);
                cards.Add(card);
            }
        }
        throw new InvalidDataException();
    }

    /// <summary>The text of a keyword's value, quotes removed; null where the header has none.</summary>
    public string? Text(string keyword)
    {
        string start = keyword.PadRight(8) + "=";
        string? card = Cards.FirstOrDefault(c => c.StartsWith(start, StringComparison.Ordinal));
        if (card is null)
            return null;
        ReadOnlySpan<char> value = card.AsSpan(start.Length).Trim();
        if (value is not ['\'', ..])
            return (value.IndexOf('/') is >= 0 and var slash ? value[..slash] : value).TrimEnd().ToString();
        string quoted = value[1..].ToString().Replace("''", "\0", StringComparison.Ordinal);
        return (quoted.IndexOf('\'') is >= 0 and var end ? quoted[..end] : quoted).Replace('\0', '\'').TrimEnd();
    }

    /// <summary>A number; null where the header has none.</summary>
    /// <exception cref="InvalidDataException">The value is no number.</exception>
    public double? Number(string keyword) =>
        Text(keyword) is not { Length: > 0 } text ? null
        // FORTRAN writes D for the exponent of doubles.
        : double.TryParse(text.Replace('D', 'E').Replace('d', 'e'), NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
            ? value
        : throw new InvalidDataException();

    /// <summary>A whole number; null where the header has none.</summary>
    /// <exception cref="InvalidDataException">The value is no whole number.</exception>
    public long? Integer(string keyword) =>
        Text(keyword) is not { Length: > 0 } text ? null
        : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value) ? value
        : throw new InvalidDataException();
}
