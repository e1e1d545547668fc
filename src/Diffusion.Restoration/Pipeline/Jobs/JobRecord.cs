using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Diffusion.Imaging;
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

    /// <summary>Whether an item's output is there, complete, and made with its settings.</summary>
    public static bool IsComplete(JobItem item)
    {
        if (!File.Exists(item.Output) || !File.Exists(PathFor(item.Output)))
            return false;
        try
        {
            return JsonNode.Parse(File.ReadAllText(PathFor(item.Output)))?["settings"] is { } stored
                && JsonNode.DeepEquals(stored, JsonNode.Parse(item.Settings.ToJsonString()));
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

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
