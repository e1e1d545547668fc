using System.Globalization;
using System.Text.Json.Nodes;
using Diffusion.Pipeline;
using Diffusion.Restoration;

namespace Diffusion.Synthesis.DataSets;

/// <summary>The items of a set: a sample each, or a tar file of samples.</summary>
public sealed class SetPlan
{
    private readonly Dictionary<JobItem, (string Name, IReadOnlyList<SetSample> Samples)> _parts = [];

    /// <summary>Plans.</summary>
    /// <param name="options">The set.</param>
    /// <param name="folder">Where it goes.</param>
    /// <param name="sources">Its pictures, no content twice.</param>
    public SetPlan(SetOptions options, SetFolder folder, IReadOnlyList<SetSource> sources)
    {
        (Options, Folder, Sources) = (options, folder, sources);
        Samples =
        [
            .. from source in sources.OrderBy(source => source.Sha256, StringComparer.Ordinal)
            from kind in options.Kinds
            from index in Enumerable.Range(0, options.PerImage)
            select new SetSample(source, kind, index),
        ];
        if (options.Format == SetFormat.WebDataset)
            foreach (SetSample[] chunk in Samples.Chunk(options.PerShard))
                Add(string.Create(CultureInfo.InvariantCulture, $"shard-{_parts.Count:D6}"), chunk);
        else
            foreach (SetSample sample in Samples)
                Add(sample.Id, [sample]);
    }

    /// <summary>The set.</summary>
    public SetOptions Options { get; }

    /// <summary>Where it goes.</summary>
    public SetFolder Folder { get; }

    /// <summary>The pictures.</summary>
    public IReadOnlyList<SetSource> Sources { get; }

    /// <summary>All samples.</summary>
    public IReadOnlyList<SetSample> Samples { get; }

    /// <summary>The job's items.</summary>
    public IReadOnlyList<JobItem> Items => [.. _parts.Keys];

    /// <summary>The name and the samples of an item.</summary>
    public (string Name, IReadOnlyList<SetSample> Samples) PartOf(JobItem item) => _parts[item];

    /// <summary>Whether an item is finished.</summary>
    public bool IsComplete(JobItem item) => Folder.IsComplete(_parts[item].Name, item.Settings);

    /// <summary>Hashes pictures; what is there twice is taken once.</summary>
    /// <param name="files">The clean pictures.</param>
    /// <param name="depthFor">A picture's depth map; null where it has none.</param>
    /// <param name="duplicate">Told of a file that holds the same as an earlier one.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static IReadOnlyList<SetSource> Hash(
        IReadOnlyList<string> files,
        Func<string, string?> depthFor,
        Action<string, string> duplicate
    )
    {
        FileHashes hashes = new();
        Dictionary<string, SetSource> found = [];
        foreach (string file in files)
        {
            string sha = hashes.Of(file);
            if (found.TryGetValue(sha, out SetSource? first))
                duplicate(file, first.Path);
            else
                found[sha] = new SetSource(file, sha, depthFor(file) is { } depth ? hashes.Of(depth) : null);
        }
        return [.. found.Values];
    }

    private void Add(string name, IReadOnlyList<SetSample> samples)
    {
        string output = Folder.In(Options.Format == SetFormat.WebDataset ? name + ".tar" : samples[0].DegradedPath);
        // A tar file is made of several pictures, and is known by its own name.
        string input = Options.Format == SetFormat.WebDataset ? name + ".tar" : samples[0].Source.Path;
        JobItem item = new(input, output, () => SettingsOf(samples));
        _parts[item] = (name, samples);
    }

    private JsonObject SettingsOf(IReadOnlyList<SetSample> samples) =>
        Options.Format == SetFormat.WebDataset
            ? new() { ["samples"] = new JsonArray([.. samples.Select(sample => (JsonNode)sample.Settings(Options))]) }
            : samples[0].Settings(Options);
}
