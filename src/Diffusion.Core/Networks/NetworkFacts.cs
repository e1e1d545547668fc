using System.Text.Json.Nodes;
using Diffusion.Sampling;

namespace Diffusion.Networks;

/// <summary>What is known about a network that no card describes.</summary>
/// <param name="Config">All constructor arguments.</param>
public sealed record NetworkFacts(JsonObject Config)
{
    /// <summary>What it predicts; null: what its family does.</summary>
    public Prediction? Prediction { get; init; }

    /// <summary>The schedule of its training; null: the usual one.</summary>
    public NoiseSchedule? Schedule { get; init; }

    /// <summary>What the files tell, to follow a colon; null: nothing beside names and shapes.</summary>
    public string? Told { get; init; }

    /// <summary>What was assumed, to stand before "are assumed"; null: nothing had to be.</summary>
    public string? Assumed { get; init; }
}
