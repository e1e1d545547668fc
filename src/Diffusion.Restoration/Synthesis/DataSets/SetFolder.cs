using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Diffusion.Imaging;
using Diffusion.Pipeline;
using Diffusion.Runtime;

namespace Diffusion.Synthesis.DataSets;

/// <summary>
/// The folder of a set: <c>set.json</c> with its options and pictures, and in <c>.samples</c> a record of each finished item, written last.
/// </summary>
/// <param name="path">The folder.</param>
public sealed class SetFolder(string path)
{
    private static readonly JsonSerializerOptions Line = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonSerializerOptions Indented = new(Line) { WriteIndented = true };

    /// <summary>The version of sets.</summary>
    public const int Schema = 1;

    /// <summary>The folder.</summary>
    public string Path { get; } = path;

    /// <summary>The set's own file.</summary>
    public string File => In("set.json");

    /// <summary>Where the records are.</summary>
    public string Records => In(".samples");

    /// <summary>A path inside.</summary>
    public string In(string relative) => System.IO.Path.Combine(Path, relative.Replace('/', System.IO.Path.DirectorySeparatorChar));

    /// <summary>The record of an item.</summary>
    public string RecordOf(string name) => System.IO.Path.Combine(Records, name + ".json");

    /// <summary>Opens a folder for a set: an empty one, or one with the same set.</summary>
    /// <param name="options">The set.</param>
    /// <param name="sources">Its pictures.</param>
    /// <param name="goOn">Whether the set may be there already.</param>
    /// <exception cref="JobException">
    /// It holds another set, or something else, or this one and <paramref name="goOn"/> is false.
    /// </exception>
    /// <exception cref="DiffusionException">It holds a set of another version, or a damaged one.</exception>
    public void Open(SetOptions options, IReadOnlyList<SetSource> sources, bool goOn)
    {
        OutputPlan.CheckWritable(Path);
        JsonObject asked = options.ToJson();
        if (Read() is { } there)
        {
            CheckSame(there, asked);
            if (!goOn)
                throw new JobException(
                    "The folder holds this set already",
                    Path,
                    "Pass --resume to go on with it, or choose another folder"
                );
        }
        else if (Directory.Exists(Path) && Directory.EnumerateFileSystemEntries(Path).Any(entry => !IsTemporary(entry)))
            throw new JobException("The folder is not empty and holds no set", Path, "Choose another folder");
        JsonObject set = new()
        {
            ["schema"] = Schema,
            ["set"] = asked,
            ["sources"] = new JsonArray([
                .. Sources(sources, options.Format)
                    .Select(one => (JsonNode)new JsonObject { ["name"] = one.Name, ["sha256"] = one.Sha256 }),
            ]),
        };
        byte[] text = Encoding.UTF8.GetBytes(set.ToJsonString(Indented) + "\n");
        if (!System.IO.File.Exists(File) || !System.IO.File.ReadAllBytes(File).AsSpan().SequenceEqual(text))
            OutputFile.Write(File, true, stream => stream.Write(text));
        // Another job may have begun another set at the same moment.
        if (Read() is { } now)
            CheckSame(now, asked);
    }

    /// <summary>The options and pictures on file; null: there is no set here.</summary>
    /// <exception cref="DiffusionException">The file is damaged, or of another version.</exception>
    public JsonObject? Read()
    {
        if (!System.IO.File.Exists(File))
            return null;
        JsonObject? set = null;
        try
        {
            set = JsonNode.Parse(System.IO.File.ReadAllText(File)) as JsonObject;
        }
        catch (JsonException) { }
        if (set?["schema"] is not JsonValue schema || !schema.TryGetValue(out int version))
            throw new DiffusionException("The set's file is damaged", File, "Make the set again in another folder");
        if (version != Schema)
            throw new DiffusionException(
                $"The set is of version {version}, this program makes and reads version {Schema}",
                File,
                version > Schema ? "Update diffusion" : "Make the set again in another folder"
            );
        return set["set"] is JsonObject && set["sources"] is JsonArray
            ? set
            : throw new DiffusionException("The set's file is damaged", File, "Make the set again in another folder");
    }

    /// <summary>Writes an item's record.</summary>
    /// <param name="name">The item's.</param>
    /// <param name="settings">What decided it.</param>
    /// <param name="files">Bytes and SHA-256 of its files by their place in the set.</param>
    /// <param name="samples">The manifest's lines.</param>
    public void Record(string name, JsonObject settings, IReadOnlyDictionary<string, FileSum> files, IReadOnlyList<JsonObject> samples)
    {
        JsonObject record = new()
        {
            ["schema"] = Schema,
            ["settings"] = settings.DeepClone(),
            ["files"] = new JsonObject(
                files.Select(file =>
                    KeyValuePair.Create(
                        file.Key,
                        (JsonNode?)new JsonObject { ["bytes"] = file.Value.Bytes, ["sha256"] = file.Value.Sha256 }
                    )
                )
            ),
            ["samples"] = new JsonArray([.. samples]),
        };
        byte[] text = Encoding.UTF8.GetBytes(record.ToJsonString(Line) + "\n");
        OutputFile.Write(RecordOf(name), true, stream => stream.Write(text));
    }

    /// <summary>A record; null: there is none, or it is damaged.</summary>
    public SetRecord? Find(string name)
    {
        string file = RecordOf(name);
        if (!System.IO.File.Exists(file))
            return null;
        try
        {
            JsonNode? record = JsonNode.Parse(System.IO.File.ReadAllText(file));
            Dictionary<string, FileSum> files = [];
            foreach ((string path, JsonNode? sum) in record!["files"]!.AsObject())
                files[path] = new FileSum((long)sum!["bytes"]!, (string)sum["sha256"]!);
            return new SetRecord(
                name,
                record["settings"]!.AsObject(),
                files,
                [.. record["samples"]!.AsArray().Select(line => line!.DeepClone().AsObject())]
            );
        }
        catch (Exception e)
            when (e is JsonException or InvalidOperationException or NullReferenceException or FormatException or IOException)
        {
            return null;
        }
    }

    /// <summary>Whether an item is there, complete and made with its settings.</summary>
    public bool IsComplete(string name, JsonObject settings) =>
        Find(name) is { } record
        && JsonNode.DeepEquals(record.Settings, JsonNode.Parse(settings.ToJsonString()))
        && record.Files.All(file => new FileInfo(In(file.Key)) is { Exists: true } info && info.Length == file.Value.Bytes);

    /// <summary>The names of the items that have a record, in order.</summary>
    public IReadOnlyList<string> RecordNames() =>
        Directory.Exists(Records)
            ?
            [
                .. Directory
                    .EnumerateFiles(Records, "*.json")
                    .Where(file => !IsTemporary(file))
                    .Select(file => System.IO.Path.GetFileNameWithoutExtension(file)!)
                    .Order(StringComparer.Ordinal),
            ]
            : [];

    /// <summary>A line of the manifest.</summary>
    public static string LineOf(JsonObject sample) => sample.ToJsonString(Line);

    /// <summary>Whether a file is one that is being written, or was when its process was killed.</summary>
    internal static bool IsTemporary(string file) =>
        System.IO.Path.GetFileName(file) is { Length: > 4 } name && name[0] == '.' && name.EndsWith(".tmp", StringComparison.Ordinal);

    private void CheckSame(JsonObject there, JsonObject asked)
    {
        JsonObject old = there["set"]!.AsObject();
        JsonNode now = JsonNode.Parse(asked.ToJsonString())!;
        foreach ((string name, JsonNode? value) in now.AsObject())
            if (!JsonNode.DeepEquals(old[name], value))
                throw new JobException(
                    $"The folder holds another set: its {name.Replace('_', '-')} is {Text(old[name])}, not {Text(value)}",
                    Path,
                    "Choose another folder, or the set's own options"
                );
    }

    private static string Text(JsonNode? node) =>
        node switch
        {
            null => "none",
            JsonArray list => string.Join(",", list.Select(one => one?.ToString())),
            _ => node.ToString(),
        };

    // Pictures of an earlier run stay in the set while their samples do. Tar files belong to a list of pictures.
    private IEnumerable<(string Name, string Sha256)> Sources(IReadOnlyList<SetSource> sources, SetFormat format)
    {
        Dictionary<string, string> all = [];
        if (format != SetFormat.WebDataset && Read()?["sources"] is JsonArray old)
        {
            HashSet<string> kept = [.. RecordNames().Select(name => Find(name)?.Settings["source_sha256"]?.ToString()).OfType<string>()];
            foreach (JsonNode? one in old)
                if (one?["sha256"]?.ToString() is { } sha && kept.Contains(sha))
                    all[sha] = one["name"]?.ToString() ?? "";
        }
        foreach (SetSource source in sources)
            all[source.Sha256] = source.Name;
        return all.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => (one.Value, one.Key));
    }
}

/// <summary>Length and hash of a file.</summary>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">In lower-case hexadecimal.</param>
public sealed record FileSum(long Bytes, string Sha256)
{
    /// <summary>Of bytes in memory.</summary>
    public static FileSum Of(ReadOnlySpan<byte> bytes) =>
        new(bytes.Length, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes)));

    /// <summary>Of a file.</summary>
    public static FileSum OfFile(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return new(stream.Length, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(stream)));
    }
}

/// <summary>What is on file about a finished item.</summary>
/// <param name="Name">The item's.</param>
/// <param name="Settings">What decided it.</param>
/// <param name="Files">Its files by their place in the set.</param>
/// <param name="Samples">The manifest's lines.</param>
public sealed record SetRecord(
    string Name,
    JsonObject Settings,
    IReadOnlyDictionary<string, FileSum> Files,
    IReadOnlyList<JsonObject> Samples
);
