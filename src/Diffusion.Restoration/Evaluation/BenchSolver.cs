using Diffusion.Solvers;

namespace Diffusion.Evaluation;

/// <summary>An algorithm of a plan, with its settings.</summary>
public sealed record BenchSolver(string Name)
{
    /// <summary>A preset; null for the default one.</summary>
    public string? Preset { get; init; }

    /// <summary>Settings by name.</summary>
    public IReadOnlyDictionary<string, string> Set { get; init; } = new Dictionary<string, string>();

    /// <summary>Its own numbers of evaluations; null: the plan's.</summary>
    public IReadOnlyList<int?>? Steps { get; init; }

    /// <summary>The settings as one text, sorted.</summary>
    public string SetText =>
        string.Join("; ", Set.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value}"));

    /// <summary>Checks names.</summary>
    /// <exception cref="ArgumentException">An unknown solver, preset or setting.</exception>
    public void Check(SolverCatalog catalog)
    {
        if (Name == Restoration.SolverTable.Auto)
        {
            if (Preset is not null || Set.Count > 0)
                throw new ArgumentException("Preset and settings belong to a solver, not to auto. Name one.");
            return;
        }
        catalog.Find(Name).CheckNames(Preset, Set.Keys);
    }
}
