using System.Text.Json;

namespace Diffusion.Networks.MediaPipeFace;

/// <summary>One line of a published graph: an operation, what it reads and how its result is called.</summary>
/// <param name="Kind"><c>conv2d</c>, <c>depthwise_conv2d</c>, <c>relu</c>, <c>prelu</c>, <c>add</c>, <c>max_pool2d</c>,
/// <c>pad_channels</c>,
/// <c>resize_bilinear</c>, <c>reshape_nhwc</c> or <c>concat</c>.</param>
/// <param name="Inputs">Names of values.</param>
/// <param name="Output">Name of the result.</param>
/// <param name="Shape">The result's shape at the published input size, without the batch.</param>
internal sealed record GraphOperation(string Kind, string[] Inputs, string Output, long[] Shape)
{
    /// <summary>Name of the kernel's parameter.</summary>
    public string? Weight { get; init; }

    /// <summary>Name of the bias' parameter.</summary>
    public string? Bias { get; init; }

    /// <summary>Name of the parameter that holds the slopes of <c>prelu</c>.</summary>
    public string? Slopes { get; init; }

    /// <summary>Side of a kernel or of a pooled square.</summary>
    public long Kernel { get; init; }

    /// <summary>Step in both directions.</summary>
    public long Stride { get; init; }

    /// <summary>Zeros around the input: top, bottom, left, right.</summary>
    public long[] Padding { get; init; } = [0, 0, 0, 0];

    /// <summary>Zero channels that <c>pad_channels</c> appends.</summary>
    public long After { get; init; }

    /// <summary>Dimension, batch included, along which <c>concat</c> joins.</summary>
    public long Axis { get; init; }

    /// <summary>Reads one entry of a graph file's <c>ops</c>.</summary>
    public static GraphOperation Read(JsonElement json)
    {
        string? Text(string key) => json.TryGetProperty(key, out JsonElement value) ? value.GetString() : null;
        long Whole(string key) => json.TryGetProperty(key, out JsonElement value) ? value.GetInt64() : 0;
        long[] Wholes(string key) => [.. json.GetProperty(key).EnumerateArray().Select(value => value.GetInt64())];
        return new GraphOperation(
            Text("op")!,
            [.. json.GetProperty("inputs").EnumerateArray().Select(value => value.GetString()!)],
            Text("output")!,
            Wholes("shape")
        )
        {
            Weight = Text("weight"),
            Bias = Text("bias"),
            Slopes = Text("alpha"),
            Kernel = Whole("kernel"),
            Stride = Whole("stride"),
            Padding = json.TryGetProperty("padding", out _) ? Wholes("padding") : [0, 0, 0, 0],
            After = Whole("after"),
            Axis = Whole("axis"),
        };
    }
}
