using System.Diagnostics.CodeAnalysis;

namespace Diffusion.Operators;

/// <summary>
/// The colours of a sensor's repeating block: <c>rggb</c>, <c>bggr</c>, <c>grbg</c>, <c>gbrg</c>, <c>xtrans</c>, or the letters (rawpy's
/// digits 0 to 3 for red, green, blue, green) of any square block row by row. Upper and lower case are one; blanks, commas and strokes are
/// skipped.
/// </summary>
public sealed record ColorPattern : IParsable<ColorPattern>
{
    private const string XtransName = "xtrans";
    private const int LongestSide = 16;

    private readonly string _letters;

    private ColorPattern(string letters) => (_letters, Side) = (letters, (int)Math.Round(Math.Sqrt(letters.Length)));

    /// <summary>Red green / green blue.</summary>
    public static ColorPattern Rggb { get; } = new("rggb");

    /// <summary>Blue green / green red.</summary>
    public static ColorPattern Bggr { get; } = new("bggr");

    /// <summary>Green red / blue green.</summary>
    public static ColorPattern Grbg { get; } = new("grbg");

    /// <summary>Green blue / red green.</summary>
    public static ColorPattern Gbrg { get; } = new("gbrg");

    /// <summary>Fujifilm's block of 6 x 6.</summary>
    public static ColorPattern Xtrans { get; } = new("gbggrgrgrbgbgbggrggrggbgbgbrgrgrggbg");

    /// <summary>Rows and columns of the block.</summary>
    public int Side { get; }

    /// <summary>Whether the greens of a 2 x 2 block lie on a diagonal, with red and blue on the other.</summary>
    public bool IsBayer => Side == 2 && (this == Rggb || this == Bggr || this == Grbg || this == Gbrg);

    /// <summary>0 for red, 1 for green, 2 for blue.</summary>
    public int ColorAt(int row, int column) => "rgb".IndexOf(_letters[row % Side * Side + column % Side], StringComparison.Ordinal);

    /// <inheritdoc/>
    public static ColorPattern Parse(string s, IFormatProvider? provider) =>
        TryParse(s, provider, out ColorPattern? pattern)
            ? pattern
            : throw new FormatException($"\"{s}\" is no pattern of colours such as rggb, or xtrans.");

    /// <inheritdoc/>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, [MaybeNullWhen(false)] out ColorPattern result)
    {
        result = null;
        if (s is null)
            return false;
        string text = new([.. s.ToLowerInvariant().Where(c => !char.IsWhiteSpace(c) && c is not ('-' or '/' or ',' or ';' or '_'))]);
        if (text == XtransName)
            return (result = Xtrans) is not null;
        string letters = new([
            .. text.Select(c =>
                c switch
                {
                    '0' => 'r',
                    '1' or '3' => 'g',
                    '2' => 'b',
                    _ => c,
                }
            ),
        ]);
        int side = (int)Math.Round(Math.Sqrt(letters.Length));
        if (side is < 2 or > LongestSide || side * side != letters.Length || letters.Any(c => c is not ('r' or 'g' or 'b')))
            return false;
        if (!"rgb".All(letters.Contains))
            return false;
        result = new ColorPattern(letters);
        return true;
    }

    /// <inheritdoc/>
    public bool Equals(ColorPattern? other) => other?._letters == _letters;

    /// <inheritdoc/>
    public override int GetHashCode() => _letters.GetHashCode(StringComparison.Ordinal);

    /// <summary>The text that reads back as the same pattern.</summary>
    public override string ToString() =>
        this == Xtrans ? XtransName
        : Side == 2 ? _letters
        : string.Join('/', Enumerable.Range(0, Side).Select(row => _letters.Substring(row * Side, Side)));
}
