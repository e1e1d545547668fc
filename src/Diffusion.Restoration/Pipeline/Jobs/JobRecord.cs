using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Restoration;

namespace Diffusion.Pipeline;

/// <summary>
/// What lies beside an output, <c>OUT.png.json</c>: how it was made. It is written last, so that an output with its record is complete.
/// </summary>
public static class JobRecord
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The version of records.</summary>
    public const int Schema = 1;

    // Not in records of older versions.
    private const string OperatorFiles = "operator_files_sha256";

    /// <summary>The record of an output.</summary>
    public static string PathFor(string output) => output + ".json";

    /// <summary>The settings that every item begins with: the input's name and the hashes of what is read.</summary>
    /// <param name="input">The file, or <c>-</c>.</param>
    /// <param name="measurement">Whether a side file beside it is read too.</param>
    public static JsonObject Input(string input, bool measurement = false)
    {
        FileHashes hashes = new();
        bool standard = input == ImageFile.Standard;
        JsonObject settings = new() { ["input"] = Path.GetFileName(input), ["input_sha256"] = standard ? null : hashes.Of(input) };
        if (measurement)
            settings["side_sha256"] = !standard && SideFile.PathFor(input) is var side && File.Exists(side) ? hashes.Of(side) : null;
        return settings;
    }

    /// <summary>Adds what the files hold that an operator is made of, where there are any.</summary>
    /// <param name="settings">The settings of an item.</param>
    /// <param name="spec">The operator; null: nothing is known about it.</param>
    /// <param name="hashes">Remembers files that many items have in common.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static void AddFiles(JsonObject settings, OperatorSpec? spec, FileHashes hashes)
    {
        if (spec?.Files() is { Count: > 0 } files)
            settings[OperatorFiles] = new JsonArray([.. files.Select(file => hashes.Of(file))]);
    }

    /// <summary>An item's settings as older versions put them down; null where there is no difference.</summary>
    internal static JsonObject? Older(JsonObject settings)
    {
        JsonObject older = settings.DeepClone().AsObject();
        return older.Remove(OperatorFiles) ? older : null;
    }

    /// <summary>Whether an item's output is there, complete, and made with its settings.</summary>
    /// <param name="item">The item.</param>
    /// <param name="old">Told of a record of an older version, which does not say all of them: its output is made again.</param>
    public static bool IsComplete(JobItem item, Action? old = null)
    {
        if (!File.Exists(item.Output) || !File.Exists(PathFor(item.Output)))
            return false;
        try
        {
            if (JsonNode.Parse(File.ReadAllText(PathFor(item.Output)))?["settings"] is not { } stored)
                return false;
            if (Older(item.Settings) is { } older && Equal(stored, older))
                old?.Invoke();
            return Equal(stored, item.Settings);
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static bool Equal(JsonNode stored, JsonObject settings) => JsonNode.DeepEquals(stored, JsonNode.Parse(settings.ToJsonString()));

    /// <summary>Writes an item's record.</summary>
    /// <param name="item">The item, whose settings come first.</param>
    /// <param name="details">What came out; its values are moved.</param>
    public static void Write(JobItem item, JsonObject details)
    {
        JsonObject record = new() { ["schema"] = Schema, ["settings"] = item.Settings.DeepClone() };
        foreach ((string key, JsonNode? value) in details.ToArray())
        {
            details.Remove(key);
            record[key] = value;
        }
        OutputFile.Write(PathFor(item.Output), true, stream => stream.Write(Encoding.UTF8.GetBytes(record.ToJsonString(Indented) + "\n")));
    }
}
