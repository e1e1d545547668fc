namespace Diffusion.Runtime;

/// <summary>Finds the known name that a misspelt one most likely meant.</summary>
public static class NearestName
{
    /// <summary>
    /// The candidate with the smallest edit distance (insertions, deletions, replacements, swaps of neighbours), or null when none is
    /// close.
    /// </summary>
    /// <param name="word">What was written.</param>
    /// <param name="candidates">What exists.</param>
    public static string? Of(string word, IEnumerable<string> candidates)
    {
        (string Name, int Distance)? best = null;
        foreach (string candidate in candidates)
        {
            int distance = Distance(word.ToLowerInvariant(), candidate.ToLowerInvariant());
            if (candidate.StartsWith(word, StringComparison.OrdinalIgnoreCase) && word.Length >= 2)
                distance = Math.Min(distance, 1);
            if (best is null || distance < best.Value.Distance)
                best = (candidate, distance);
        }
        return best is { } found && found.Distance <= Math.Max(2, word.Length / 3) && found.Distance < Math.Max(found.Name.Length, 2)
            ? found.Name
            : null;
    }

    /// <summary>A sentence for the remedy of an error: the nearest name, or all of them.</summary>
    public static string Advice(string word, IReadOnlyCollection<string> candidates) =>
        Of(word, candidates) is { } near ? $"Did you mean \"{near}\"?"
        : candidates.Count == 0 ? "There are none"
        : "There are " + string.Join(", ", candidates.Order(StringComparer.Ordinal));

    // Optimal string alignment. Long words are cut: a misspelling is short, and a hostile text must not cost its square.
    private static int Distance(string a, string b)
    {
        const int Longest = 64;
        if (a.Length > Longest || b.Length > Longest)
            return Math.Abs(a.Length - b.Length) + Longest;
        int[,] d = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
            d[i, 0] = i;
        for (int j = 0; j <= b.Length; j++)
            d[0, j] = j;
        for (int i = 1; i <= a.Length; i++)
        {
            for (int j = 1; j <= b.Length; j++)
            {
                int replace = d[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                d[i, j] = Math.Min(replace, Math.Min(d[i - 1, j], d[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        }
        return d[a.Length, b.Length];
    }
}
