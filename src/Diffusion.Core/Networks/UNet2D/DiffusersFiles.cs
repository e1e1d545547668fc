using System.Text.Json;
using System.Text.Json.Nodes;
using Diffusion.Runtime;
using Diffusion.Sampling;

namespace Diffusion.Networks;

/// <summary>What diffusers leaves beside the weights of a network: how it is built, and how it was trained.</summary>
/// <param name="weights">The weight file.</param>
internal sealed class DiffusersFiles(string weights)
{
    private readonly string _folder = Path.GetDirectoryName(Path.GetFullPath(weights))!;

    /// <summary>The network's <c>config.json</c>, in the words that cards use; null when there is none.</summary>
    /// <param name="kind">The class that it must be of.</param>
    /// <exception cref="CheckpointException">It cannot be read, or is of another class.</exception>
    public JsonObject? Network(string kind = "UNet2DModel")
    {
        string path = Path.Combine(_folder, "config.json");
        if (!File.Exists(path))
            return null;
        JsonObject json = Read(path);
        if (json["_class_name"] is { } name && (string?)name is not null && (string?)name != kind)
            throw Refuse(path, $"it is of a {name}, not of a {kind}");
        // Height and width may differ; tiles are squares.
        if (json["sample_size"] is JsonArray { Count: > 0 } sides)
            json["sample_size"] = sides.Max(side => side is JsonValue value && value.TryGetValue(out int pixels) ? pixels : 0);
        return json;
    }

    /// <summary>Schedule and prediction of the <c>scheduler_config.json</c>; null when there is none.</summary>
    /// <exception cref="CheckpointException">It cannot be read, or is of a process that is not supported.</exception>
    public (NoiseSchedule Schedule, Prediction Prediction)? Scheduler()
    {
        // A pipeline keeps its parts in folders side by side, a checkpoint of a training a folder deeper.
        const string Name = "scheduler_config.json";
        string[] places = [".", Path.Combine("..", "scheduler"), "..", Path.Combine("..", "..", "scheduler")];
        string? path = places.Select(place => Path.GetFullPath(Path.Combine(_folder, place, Name))).FirstOrDefault(File.Exists);
        return path is null ? null : Guarded(path, () => DiffusersSchedule.Read(Read(path)));
    }

    /// <summary>Says which file it was where its content cannot be used.</summary>
    public T Guarded<T>(string file, Func<T> read)
    {
        string path = Path.Combine(_folder, file);
        try
        {
            return read();
        }
        catch (CheckpointException wrong) when (wrong.Where is null)
        {
            throw Refuse(path, wrong.What, wrong);
        }
        catch (Exception wrong) when (wrong is FormatException or ArgumentException)
        {
            throw Refuse(path, wrong.Message, wrong);
        }
    }

    private static JsonObject Read(string path)
    {
        try
        {
            return JsonNode.Parse(File.ReadAllText(path)) as JsonObject ?? throw new JsonException("it is no JSON object");
        }
        catch (Exception wrong) when (wrong is JsonException or IOException or UnauthorizedAccessException)
        {
            throw Refuse(path, wrong.Message, wrong);
        }
    }

    private static CheckpointException Refuse(string path, string why, Exception? inner = null) =>
        new(
            $"{Path.GetFileName(path)} cannot be used: {why.TrimEnd('.')}",
            path,
            "Give a network that is supported, or put a card.json in the folder that says how to run it",
            inner
        );
}
