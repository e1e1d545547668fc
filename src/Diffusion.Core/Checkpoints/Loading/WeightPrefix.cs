namespace Diffusion.Checkpoints;

/// <summary>
/// Finds what precedes the published names in a file: <c>state_dict.</c>, <c>module.</c>, <c>model.</c>, <c>params_ema.</c>, or several of
/// them.
/// </summary>
internal static class WeightPrefix
{
    /// <summary>All prefixes below which one of <paramref name="landmarks"/> lies, in the order of the file.</summary>
    public static IReadOnlyList<string> Candidates(IEnumerable<string> names, IReadOnlyCollection<string> landmarks) =>
        [
            .. names
                .SelectMany(name => landmarks.Where(landmark => EndsWith(name, landmark)).Select(landmark => name[..^landmark.Length]))
                .Distinct(),
        ];

    /// <summary>
    /// Whether a prefix is that of averaged weights: one of its parts speaks of <c>ema</c>, and none of the <c>online_model</c>, the raw
    /// weights that ema-pytorch keeps beside them.
    /// </summary>
    public static bool IsAverage(string prefix)
    {
        string[] parts = prefix.Split('.');
        return parts.Any(part => part.Split('_').Contains("ema", StringComparer.OrdinalIgnoreCase)) && !parts.Contains("online_model");
    }

    private static bool EndsWith(string name, string landmark) =>
        name.EndsWith(landmark, StringComparison.Ordinal) && (name.Length == landmark.Length || name[^(landmark.Length + 1)] == '.');
}
