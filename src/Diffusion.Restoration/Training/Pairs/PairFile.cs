using Diffusion.Synthesis;

namespace Diffusion.Training;

/// <summary>Where a pair to train on lies.</summary>
/// <param name="Clean">The clean picture.</param>
/// <param name="Degraded">The degraded one, of the same size.</param>
/// <param name="Kind">What was done to it.</param>
/// <param name="Scene">Pairs of one scene never stand on both sides of a split.</param>
/// <param name="Origin">The set or folder that it is of.</param>
public sealed record PairFile(string Clean, string Degraded, DegradationKind Kind, string Scene, string Origin)
{
    /// <summary>Name and SHA-256 of the photograph that a set was made of; null: the clean picture is the photograph itself.</summary>
    public (string Name, string Sha256)? Source { get; init; }

    /// <summary>Parts pairs by scenes: of each origin and kind, every k-th scene is held out.</summary>
    /// <param name="pairs">All pairs.</param>
    /// <param name="scenes">Scenes held out of each; null: 12, or a quarter of few.</param>
    /// <exception cref="ArgumentException">Nothing is left to train on.</exception>
    public static (IReadOnlyList<PairFile> Train, IReadOnlyList<PairFile> Hold) HoldOut(IReadOnlyList<PairFile> pairs, int? scenes = null)
    {
        HashSet<(string, string)> held = [];
        foreach (IGrouping<(string Origin, DegradationKind Kind), PairFile> part in pairs.GroupBy(pair => (pair.Origin, pair.Kind)))
        {
            string[] all = [.. part.Select(pair => pair.Scene).Distinct().Order(StringComparer.Ordinal)];
            int count = scenes ?? Math.Min(12, all.Length / 4);
            if (count >= all.Length)
                throw new ArgumentException(
                    $"{count} of the {all.Length} scenes in {part.Key.Origin} cannot be held out. Give more pairs or hold out fewer."
                );
            for (int i = 0; i < count; i++)
                held.Add((part.Key.Origin, all[(2 * i + 1) * all.Length / (2 * count)]));
        }
        ILookup<bool, PairFile> parts = pairs.ToLookup(pair => held.Contains((pair.Origin, pair.Scene)));
        return ([.. parts[false]], [.. parts[true]]);
    }
}
