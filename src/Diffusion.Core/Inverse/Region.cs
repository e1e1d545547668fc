using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Diffusion.Inverse;

/// <summary>
/// A rectangle of a picture, written <c>WxH+X+Y</c> in pixels; <c>WxH</c> and <c>center</c> (half the width and height) lie in the middle.
/// </summary>
public readonly partial record struct Region : IParsable<Region>
{
    private readonly int? _width,
        _height,
        _x,
        _y;

    private Region(int? width, int? height, int? x, int? y) => (_width, _height, _x, _y) = (width, height, x, y);

    /// <summary>The middle half of the picture in both directions.</summary>
    public static Region Center { get; } = new(null, null, null, null);

    /// <summary>A rectangle by its upper left corner.</summary>
    public static Region At(int width, int height, int x, int y) => new(width, height, x, y);

    /// <summary>The rectangle in a picture; may reach beyond it.</summary>
    public (int X, int Y, int Width, int Height) In(ImageShape picture)
    {
        int width = _width ?? Math.Max(1, picture.Width / 2),
            height = _height ?? Math.Max(1, picture.Height / 2);
        return (_x ?? (picture.Width - width) / 2, _y ?? (picture.Height - height) / 2, width, height);
    }

    /// <inheritdoc/>
    public static Region Parse(string s, IFormatProvider? provider) =>
        TryParse(s, provider, out Region region) ? region : throw new FormatException($"\"{s}\" is no WxH+X+Y, WxH or center.");

    /// <inheritdoc/>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out Region result)
    {
        result = Center;
        if (s == "center")
            return true;
        if (s is null || Pattern().Match(s) is not { Success: true } match)
            return false;
        int?[] numbers =
        [
            .. Enumerable
                .Range(1, 4)
                .Select(i =>
                    int.TryParse(match.Groups[i].Value, NumberStyles.None, CultureInfo.InvariantCulture, out int n) ? n : (int?)null
                ),
        ];
        if (numbers[0] is not > 0 || numbers[1] is not > 0 || (match.Groups[3].Success && (numbers[2] is null || numbers[3] is null)))
            return false;
        result = new Region(numbers[0], numbers[1], numbers[2], numbers[3]);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() =>
        _width is null ? "center"
        : _x is null ? string.Create(CultureInfo.InvariantCulture, $"{_width}x{_height}")
        : string.Create(CultureInfo.InvariantCulture, $"{_width}x{_height}+{_x}+{_y}");

    [GeneratedRegex(@"^([0-9]+)x([0-9]+)(?:\+([0-9]+)\+([0-9]+))?$", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
