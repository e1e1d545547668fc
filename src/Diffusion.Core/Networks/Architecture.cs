using System.Text.Json.Nodes;

namespace Diffusion.Networks;

/// <summary>
/// A network's kind and constructor arguments, in the vocabulary of the published code (<c>model_channels</c>, <c>channel_mult</c>, ...).
/// </summary>
/// <param name="Kind">The name of its family; see <see cref="NetworkCatalog"/>.</param>
/// <param name="Config">Constructor arguments.</param>
public sealed record Architecture(string Kind, JsonObject Config);
