namespace Diffusion.Checkpoints;

/// <summary>Finds the parameter that a name probably means.</summary>
internal static class NearestParameter
{
    /// <summary>
    /// The candidate that shares the longest beginning and end with <paramref name="name"/>; null when that is less than half of it.
    /// </summary>
    public static string? Find(string name, IEnumerable<string> candidates)
    {
        string? best = null;
        int bestScore = name.Length / 2;
        foreach (string candidate in candidates)
        {
            int shorter = Math.Min(name.Length, candidate.Length),
                start = 0,
                end = 0;
            while (start < shorter && name[start] == candidate[start])
                start++;
            while (end < shorter - start && name[^(end + 1)] == candidate[^(end + 1)])
                end++;
            if (start + end <= bestScore)
                continue;
            (best, bestScore) = (candidate, start + end);
        }
        return best;
    }
}
