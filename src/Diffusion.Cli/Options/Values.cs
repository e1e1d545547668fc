using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Diffusion.Inverse;

namespace Diffusion.Cli.Options;

/// <summary>Readers of option values that the parser does not know.</summary>
internal static class Values
{
    // Behind a number in the values of the file.
    private const string FileUnit = "dn";

    /// <summary>A number or a quotient: <c>0.05</c>, <c>12.75/255</c>. NaN stands for <c>auto</c>.</summary>
    public static double? Noise(ArgumentResult result)
    {
        string text = result.Tokens[^1].Value;
        if (text == "auto")
            return double.NaN;
        string[] parts = text.Split('/');
        if (parts.Length > 2 || !Number(parts[0], out double value) || (parts.Length == 2 && !Number(parts[1], out _)))
            return Fail(
                result,
                $"\"{text}\" is no noise level. Write a standard deviation on the [0,1] scale (0.05 or 12.75/255), or auto."
            );
        if (parts.Length == 2)
            value /= double.Parse(parts[1], CultureInfo.InvariantCulture);
        if (double.IsFinite(value) && value is >= 0 and <= 1)
            return value;
        string hint = value > 1 && parts.Length == 1 ? $"; one of 255 is written {text}/255, one in the values of the file {text}dn" : "";
        return Fail(result, $"The noise level must be in [0,1], not {text}. It is a standard deviation on the [0,1] scale{hint}.");
    }

    /// <summary>As <see cref="Noise"/>, or in the numbers of the file, <c>40dn</c>, or noise that grows with the signal.</summary>
    public static NoiseValue? NoiseOfFile(ArgumentResult result)
    {
        string text = result.Tokens[^1].Value;
        if (text.StartsWith("poisson", StringComparison.Ordinal) || text == "auto-poisson")
            return Poisson(text, result);
        if (!text.EndsWith(FileUnit, StringComparison.OrdinalIgnoreCase))
            return Noise(result) is { } sigma ? new NoiseValue(new(sigma), false) : null;
        if (Number(text[..^2], out double level) && level >= 0 && double.IsFinite(level))
            return new NoiseValue(new(level), true);
        result.AddError($"\"{text}\" is no noise level. In the values of the file it is a number and dn, such as 40dn.");
        return null;
    }

    private static NoiseValue? Poisson(string text, ArgumentResult result)
    {
        string[] parts = text.Split(',');
        string[] inFile = [.. parts.Where(part => part.EndsWith(FileUnit, StringComparison.OrdinalIgnoreCase))];
        // One unit for both; 0 is the same in each.
        bool mixed = inFile.Length > 0 && parts.Except(inFile).Any(part => part != "read=0");
        string bare = string.Join(',', parts.Select(part => inFile.Contains(part) ? part[..^2] : part));
        if (!mixed && NoiseModel.Parse(bare) is { } model && (inFile.Length > 0 || model.IsAuto || model is { Gain: <= 1, Sigma: <= 1 }))
            return new NoiseValue(model, inFile.Length > 0);
        result.AddError(
            $"\"{text}\" is no noise. Write poisson:gain=G,read=R with the variance that a signal of 1 adds, above 0, and the standard "
                + "deviation of the dark, both on the [0,1] scale (poisson:gain=0.005,read=0.01) or in values of the file "
                + "(poisson:gain=2dn,read=5dn), or auto-poisson."
        );
        return null;
    }

    /// <summary>A whole number of at least <paramref name="min"/>.</summary>
    public static Func<ArgumentResult, int?> AtLeast(int min, string unit) =>
        result =>
        {
            string text = result.Tokens[^1].Value;
            if (int.TryParse(text, CultureInfo.InvariantCulture, out int value) && value >= min)
                return value;
            result.AddError($"{Name(result)} takes a whole number of {unit}, at least {min}, not \"{text}\".");
            return null;
        };

    /// <summary>A seed: 0 to 2^64-1.</summary>
    public static ulong Seed(ArgumentResult result)
    {
        string text = result.Tokens[^1].Value;
        if (!ulong.TryParse(text, CultureInfo.InvariantCulture, out ulong value))
            result.AddError($"{Name(result)} takes a whole number from 0 to {ulong.MaxValue}, not \"{text}\".");
        return value;
    }

    /// <summary>A size in bytes: <c>800M</c>, <c>4G</c>, <c>4GB</c>.</summary>
    public static long? Bytes(ArgumentResult result)
    {
        string text = result.Tokens[^1].Value;
        string upper = text.ToUpperInvariant().Replace("IB", "", StringComparison.Ordinal).TrimEnd('B');
        int shift =
            upper.Length == 0
                ? 0
                : upper[^1] switch
                {
                    'K' => 10,
                    'M' => 20,
                    'G' => 30,
                    'T' => 40,
                    _ => 0,
                };
        if (Number(shift == 0 ? upper : upper[..^1], out double value) && value > 0 && value * Math.Pow(2, shift) < long.MaxValue)
            return (long)(value * (1L << shift));
        result.AddError($"{Name(result)} takes a size such as 800M or 4G, not \"{text}\".");
        return null;
    }

    /// <summary>A picture size, height first: <c>480x640</c>.</summary>
    public static (int Height, int Width)? Size(ArgumentResult result)
    {
        string text = result.Tokens[^1].Value;
        string[] parts = text.Split('x', 'X');
        if (
            parts.Length == 2
            && int.TryParse(parts[0], CultureInfo.InvariantCulture, out int h)
            && int.TryParse(parts[1], CultureInfo.InvariantCulture, out int w)
            && h > 0
            && w > 0
        )
            return (h, w);
        result.AddError($"{Name(result)} takes height x width, for example 480x640, not \"{text}\".");
        return null;
    }

    /// <summary>Splits <c>KEY=VALUE</c> pairs.</summary>
    public static Dictionary<string, string>? Pairs(ArgumentResult result)
    {
        Dictionary<string, string> pairs = new(StringComparer.OrdinalIgnoreCase);
        foreach (Token token in result.Tokens)
        {
            int at = token.Value.IndexOf('=');
            if (at > 0)
                pairs[token.Value[..at].Trim()] = token.Value[(at + 1)..].Trim();
            else
                result.AddError($"{Name(result)} takes KEY=VALUE, not \"{token.Value}\".");
        }
        return pairs;
    }

    private static bool Number(string text, out double value) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value);

    private static string Name(ArgumentResult result) =>
        result.Parent is OptionResult { Option: var option } ? option.Name : result.Argument.Name;

    private static double? Fail(ArgumentResult result, string message)
    {
        result.AddError(message);
        return null;
    }
}
