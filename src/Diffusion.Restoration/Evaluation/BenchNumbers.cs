using System.Globalization;

namespace Diffusion.Evaluation;

/// <summary>Numbers as bench files and options write them.</summary>
public static class BenchNumbers
{
    /// <summary>A noise level on [0,1]: <c>0.05</c> or <c>12.75/255</c>.</summary>
    /// <exception cref="ArgumentException">It is none.</exception>
    public static double Noise(string text)
    {
        string[] parts = text.Split('/');
        double divisor = 1;
        bool read =
            double.TryParse(parts[0], NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
            && (
                parts.Length == 1
                || (parts.Length == 2 && double.TryParse(parts[1], NumberStyles.Float, CultureInfo.InvariantCulture, out divisor))
            );
        if (read && value / divisor is >= 0 and <= 1)
            return value / divisor;
        throw new ArgumentException($"\"{text}\" is no noise level. Write a standard deviation on the [0,1] scale: 0.05 or 12.75/255.");
    }

    /// <summary>A number of network evaluations; null for <c>default</c>.</summary>
    /// <exception cref="ArgumentException">It is none.</exception>
    public static int? Steps(string text)
    {
        if (text == "default")
            return null;
        return Whole(text) is >= 1 and var steps
            ? steps
            : throw new ArgumentException(
                $"\"{text}\" is no number of evaluations. Write a whole number from 1, or default for the preset's own."
            );
    }

    /// <summary>A seed.</summary>
    /// <exception cref="ArgumentException">It is none.</exception>
    public static ulong Seed(string text) =>
        ulong.TryParse(text, CultureInfo.InvariantCulture, out ulong seed)
            ? seed
            : throw new ArgumentException($"\"{text}\" is no seed. Write a whole number from 0.");

    /// <summary>A whole number; null when it is none.</summary>
    internal static int? Whole(string text) => int.TryParse(text, CultureInfo.InvariantCulture, out int value) ? value : null;
}
