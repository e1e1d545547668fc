using System.Globalization;

namespace Diffusion.Imaging;

/// <summary>The values of a file that stand for black and white.</summary>
/// <param name="Black">In the file's own numbers: becomes 0.</param>
/// <param name="White">In the file's own numbers: becomes 1.</param>
public readonly record struct ValueRange(double Black, double White)
{
    /// <summary>From the lowest to the highest value of a file.</summary>
    public static ValueRange Auto { get; } = new(double.NaN, double.NaN);

    /// <summary>Whether it is still to be found in the file.</summary>
    public bool IsAuto => double.IsNaN(Black);

    /// <summary>Reads <c>BLACK..WHITE</c> or <c>auto</c>.</summary>
    /// <returns>null where the text is neither, or white is not above black.</returns>
    public static ValueRange? Parse(string text)
    {
        if (text == "auto")
            return Auto;
        int at = text.IndexOf("..", StringComparison.Ordinal);
        return
            at > 0
            && double.TryParse(text[..at], NumberStyles.Float, CultureInfo.InvariantCulture, out double black)
            && double.TryParse(text[(at + 2)..], NumberStyles.Float, CultureInfo.InvariantCulture, out double white)
            && double.IsFinite(black)
            && double.IsFinite(white)
            && white > black
            ? new(black, white)
            : null;
    }

    /// <inheritdoc/>
    public override string ToString() => IsAuto ? "auto" : string.Create(CultureInfo.InvariantCulture, $"{Black:R}..{White:R}");
}
