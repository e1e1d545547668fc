using System.Formats.Tar;
using System.Text.Json.Nodes;
using Diffusion.Runtime;

namespace Diffusion.Synthesis.DataSets;

/// <summary>Proves a set whole: no gap, no double, no half file, and nothing in its lists that is not in its files.</summary>
public sealed class SetVerification
{
    private readonly SetFolder _folder;
    private readonly JsonObject _set;
    private readonly List<string> _problems = [];
    private readonly HashSet<string> _known = [];

    private SetVerification(SetFolder folder, JsonObject set) => (_folder, _set) = (folder, set);

    /// <summary>Number of samples.</summary>
    public int Samples { get; private set; }

    /// <summary>What is wrong, a sentence without a full stop each; empty: the set is whole.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>Samples whose degraded pictures hold the same.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Duplicates { get; private set; } = [];

    /// <summary>Reads every file of a set.</summary>
    /// <param name="path">The set's folder.</param>
    /// <param name="read">Told of each item that is read: its number, and how many there are.</param>
    /// <param name="cancellation">Checked between items.</param>
    /// <exception cref="DiffusionException">There is no set here, or one of another version.</exception>
    public static SetVerification Of(string path, Action<int, int>? read = null, CancellationToken cancellation = default)
    {
        SetFolder folder = new(path);
        JsonObject set = folder.Read()
            ?? throw new DiffusionException("There is no set in this folder", path, "Name the folder that synthesize -o wrote");
        SetVerification verification = new(folder, set);
        verification.Check(read, cancellation);
        return verification;
    }

    private void Check(Action<int, int>? read, CancellationToken cancellation)
    {
        IReadOnlyList<string> names = _folder.RecordNames();
        List<JsonObject> samples = [];
        for (int i = 0; i < names.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (_folder.Find(names[i]) is { } record)
            {
                CheckFiles(record);
                samples.AddRange(record.Samples);
            }
            else
                _problems.Add($"The record {names[i]} is damaged");
            _known.Add(_folder.RecordOf(names[i]));
            read?.Invoke(i + 1, names.Count);
        }
        Samples = samples.Count;
        CheckPlan(samples);
        CheckLists(samples);
        foreach (
            string file in Directory.EnumerateFiles(
                _folder.Path,
                "*",
                new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }
            )
        )
            if (!_known.Contains(file))
                _problems.Add($"{Path.GetRelativePath(_folder.Path, file)} belongs to no sample");
        Duplicates =
        [
            .. samples
                .GroupBy(sample => sample["degraded_sha256"]?.ToString())
                .Where(group => group.Count() > 1)
                .Select(group => (IReadOnlyList<string>)[.. group.Select(IdOf)]),
        ];
    }

    private void CheckFiles(SetRecord record)
    {
        foreach ((string place, FileSum sum) in record.Files)
        {
            string file = _folder.In(place);
            // A clean picture belongs to several samples and is read once.
            if (!_known.Add(file))
                continue;
            if (!File.Exists(file))
                _problems.Add($"{place} of {record.Name} is missing");
            else if (FileSum.OfFile(file) != sum)
                _problems.Add($"{place} of {record.Name} is not what was written");
            else if (place.EndsWith(".tar", StringComparison.Ordinal))
                CheckTar(place, file, record.Samples);
        }
    }

    private void CheckTar(string place, string file, IReadOnlyList<JsonObject> samples)
    {
        string[] wanted =
        [
            .. samples.SelectMany(sample => new[] { ".clean.png", ".degraded.png", ".json" }.Select(end => IdOf(sample) + end)),
        ];
        List<string> found = [];
        using FileStream stream = File.OpenRead(file);
        using TarReader tar = new(stream);
        while (tar.GetNextEntry() is { } entry)
            found.Add(entry.Name);
        if (!found.SequenceEqual(wanted))
            _problems.Add($"{place} does not hold its samples");
    }

    /// <summary>Each picture has each of its samples once.</summary>
    private void CheckPlan(List<JsonObject> samples)
    {
        JsonNode options = _set["set"]!;
        string[] kinds = [.. options["degradations"]!.AsArray().Select(kind => kind!.ToString())];
        int perImage = (int)options["per_image"]!;
        Dictionary<string, int> counts = samples.CountBy(sample => sample["key"]?.ToString() ?? "").ToDictionary();
        foreach ((string key, int count) in counts.Where(pair => pair.Value > 1))
            _problems.Add($"The sample {key} is there {count} times");
        foreach (JsonNode? source in _set["sources"]!.AsArray())
        {
            string[] missing =
            [
                .. from kind in kinds
                from index in Enumerable.Range(0, perImage)
                let key = $"{source!["sha256"]}/{kind}/{index}"
                where !counts.Remove(key)
                select $"{kind} {index}",
            ];
            if (missing.Length > 0)
                _problems.Add(
                    $"{source!["name"]} lacks {missing.Length} of {kinds.Length * perImage} samples ({string.Join(", ", missing)})"
                );
        }
        foreach (string key in counts.Keys)
            _problems.Add($"The sample {key} is of no picture of this set");
    }

    private void CheckLists(List<JsonObject> samples)
    {
        _known.Add(_folder.File);
        string list = _folder.In(SetManifest.Lines);
        _known.Add(list);
        string[] wanted = [.. samples.Select(SetFolder.LineOf)];
        if (!File.Exists(list))
            _problems.Add($"{SetManifest.Lines} is missing, the set was not finished");
        else if (!File.ReadAllLines(list).SequenceEqual(wanted))
            _problems.Add($"{SetManifest.Lines} does not list the samples that are there");
        if (_set["set"]!["format"]?.ToString() != "hf")
            return;
        string parquet = _folder.In(SetManifest.Parquet);
        _known.Add(parquet);
        if (!File.Exists(parquet))
            _problems.Add($"{SetManifest.Parquet} is missing, the set was not finished");
        else if (!SetManifest.ReadIds(parquet).SequenceEqual(samples.Select(IdOf)))
            _problems.Add($"{SetManifest.Parquet} does not list the samples that are there");
    }

    private static string IdOf(JsonObject sample) => sample["id"]?.ToString() ?? "";
}
