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

    /// <summary>The record of an output.</summary>
    public static string PathFor(string output) => output + ".json";

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
            if (ItemFiles.Older(item.Settings) is { } older && Equal(stored, older))
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
