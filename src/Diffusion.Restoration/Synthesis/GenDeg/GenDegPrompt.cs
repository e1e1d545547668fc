namespace Diffusion.Synthesis.GenDeg;

/// <summary>GenDeg's prompts: what is seen, and what the weather, the light or the camera did to it.</summary>
public static class GenDegPrompt
{
    // Two of the sets of pairs show haze as well.
    private const string HazyRain = "ORD",
        HazySnow = "CSD";

    /// <summary>The end of a prompt.</summary>
    /// <param name="kind">The degradation.</param>
    /// <param name="dataset">The data set whose intensities are drawn from; null: none.</param>
    public static string Suffix(DegradationKind kind, string? dataset = null) =>
        kind switch
        {
            DegradationKind.Haze => " in hazy conditions",
            DegradationKind.Rain when dataset == HazyRain => " in rainy and hazy conditions",
            DegradationKind.Rain => " in rainy conditions",
            DegradationKind.Snow when dataset == HazySnow => " in snowy and hazy conditions",
            DegradationKind.Snow => " in snowy conditions",
            DegradationKind.MotionBlur => " in blurry conditions",
            DegradationKind.LowLight => " in low-light conditions",
            _ => " with raindrops in it",
        };

    /// <summary>The prompt of a picture whose caption says no weather.</summary>
    public static string Of(string caption, DegradationKind kind, string? dataset = null) => $"{caption},{Suffix(kind, dataset)}";

    /// <summary>
    /// The prompt of a caption that ends with the conditions of its own data set, as those of the published list do: what follows the last
    /// comma, and every other occurrence of it, is replaced.
    /// </summary>
    /// <exception cref="ArgumentException">The caption says no conditions there.</exception>
    public static string Replaced(string caption, DegradationKind kind, string? dataset = null)
    {
        string last = caption[(caption.LastIndexOf(',') + 1)..];
        return SaysConditions(last)
            ? caption.Replace(last, Suffix(kind, dataset), StringComparison.Ordinal)
            : throw new ArgumentException($"The caption \"{caption}\" does not end with conditions, such as \"in rainy conditions\".");
    }

    /// <summary>Whether what follows the last comma of a caption says conditions.</summary>
    public static bool EndsWithConditions(string caption) => SaysConditions(caption[(caption.LastIndexOf(',') + 1)..]);

    /// <summary>The prompt of a training pair: its caption, with the haze of the two sets that have it.</summary>
    public static string OfTraining(string caption, string dataset) =>
        dataset switch
        {
            HazyRain => caption.Replace("in rainy conditions", "in rainy and hazy conditions", StringComparison.Ordinal),
            HazySnow => caption.Replace("in snowy conditions", "in snowy and hazy conditions", StringComparison.Ordinal),
            _ => caption,
        };

    private static bool SaysConditions(string end) =>
        end.Contains("conditions", StringComparison.Ordinal) || end.Contains("raindrops in it", StringComparison.Ordinal);
}
