using System.Text.Json;
using Diffusion.Runtime;

namespace Diffusion.Networks.MediaPipeFace;

/// <summary>A published graph as data: its operations in order of execution, and how its input and outputs are called.</summary>
public sealed class NetworkGraph
{
    private NetworkGraph(JsonElement json)
    {
        Name = json.GetProperty("network").GetString()!;
        JsonElement input = json.GetProperty("input");
        Input = input.GetProperty("name").GetString()!;
        long[] shape = [.. input.GetProperty("shape").EnumerateArray().Select(value => value.GetInt64())];
        (InputChannels, InputSize) = (shape[1], (int)shape[2]);
        Outputs = [.. json.GetProperty("outputs").EnumerateObject().Select(output => output.Name)];
        Operations = [.. json.GetProperty("ops").EnumerateArray().Select(GraphOperation.Read)];
    }

    /// <summary>The published name, for example <c>face_landmark</c>.</summary>
    public string Name { get; }

    /// <summary>Side of the square that the network was published for, in pixels.</summary>
    public int InputSize { get; }

    /// <summary>Names of the results.</summary>
    public IReadOnlyList<string> Outputs { get; }

    /// <summary>How the input is called.</summary>
    internal string Input { get; }

    /// <summary>Channels of the input.</summary>
    internal long InputChannels { get; }

    /// <summary>In order of execution.</summary>
    internal IReadOnlyList<GraphOperation> Operations { get; }

    /// <summary>Reads a graph file.</summary>
    /// <exception cref="CheckpointException">The file is missing or no such graph.</exception>
    public static NetworkGraph Read(string path)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(File.ReadAllText(path));
            return new NetworkGraph(json.RootElement);
        }
        catch (Exception e)
            when (e is IOException or UnauthorizedAccessException or JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new CheckpointException($"The graph cannot be read: {e.Message.TrimEnd('.')}", path, "Install the program again", e);
        }
    }
}
