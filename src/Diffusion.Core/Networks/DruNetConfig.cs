using System.Text.Json.Nodes;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>Constructor arguments of <see cref="DruNet"/> in the vocabulary of the published code.</summary>
/// <param name="Channels">Widths of the four levels (<c>nc</c>).</param>
/// <param name="Blocks">Residual blocks a level (<c>nb</c>).</param>
/// <param name="Inputs">Channels of the picture and one for the noise map (<c>in_nc</c>).</param>
/// <param name="Outputs">Channels of the picture (<c>out_nc</c>).</param>
public sealed record DruNetConfig(IReadOnlyList<int> Channels, int Blocks = 4, int Inputs = 4, int Outputs = 3)
{
    /// <summary>The published colour network.</summary>
    public static DruNetConfig Published { get; } = new([64, 128, 256, 512]);

    /// <summary>
    /// Side of the window that an output pixel depends on: 3x3 kernels on the way down and up, and the squares of the resampling.
    /// </summary>
    public int ReceptiveField => 2 * (2 + 2 * Blocks * (1 + 2 + 4) * 2 + 2 * Blocks * 8 + 2 * (1 + 2 + 4)) + 1;

    /// <summary>Reads <c>nc</c>, <c>nb</c>, <c>in_nc</c>, <c>out_nc</c>; the modes must be those of the published networks.</summary>
    /// <exception cref="CheckpointException">A value is missing or impossible, or another mode is asked for.</exception>
    public static DruNetConfig FromJson(JsonObject config)
    {
        try
        {
            foreach (
                (string key, string value) in new[]
                {
                    ("act_mode", "R"),
                    ("downsample_mode", "strideconv"),
                    ("upsample_mode", "convtranspose"),
                }
            )
                if (config[key] is { } mode && (string?)mode != value)
                    throw new FormatException($"{key} is {mode}, but only {value} is supported");
            if (config["bias"] is { } bias && (bool)bias)
                throw new FormatException("biases are not supported");
            DruNetConfig result = new(
                [.. (config["nc"] as JsonArray ?? throw new FormatException("nc is missing")).Select(width => (int)width!)],
                (int?)config["nb"] ?? 4,
                (int?)config["in_nc"] ?? 4,
                (int?)config["out_nc"] ?? 3
            );
            result.Validate();
            return result;
        }
        catch (Exception error) when (error is FormatException or InvalidOperationException or ArgumentException)
        {
            throw new CheckpointException(
                $"This configuration describes no DRUNet: {error.Message.TrimEnd('.')}",
                remedy: "Correct the card"
            );
        }
    }

    /// <summary>Checks that a network can be built.</summary>
    /// <exception cref="ArgumentException">It cannot.</exception>
    public void Validate()
    {
        if (Channels.Count != 4 || Channels.Any(width => width is < 1 or > 16384))
            throw new ArgumentException("nc must be four widths.");
        if (Blocks is < 1 or > 64)
            throw new ArgumentException($"nb is {Blocks}. It must be 1 to 64.");
        if (Inputs != Outputs + 1 || Outputs < 1)
            throw new ArgumentException($"in_nc is {Inputs} and out_nc {Outputs}. The input must be the picture and one noise map.");
    }
}
