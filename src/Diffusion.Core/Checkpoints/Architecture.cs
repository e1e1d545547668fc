using System.Text.Json.Nodes;

namespace Diffusion.Checkpoints;

/// <summary>
/// A network's kind and constructor arguments, in the vocabulary of the published code (<c>model_channels</c>, <c>channel_mult</c>, ...).
/// </summary>
/// <param name="Kind">
/// <c>adm-unet</c>, <c>consistency-unet</c>, <c>drunet</c>, or the name of a family that is recognised but has no network here.
/// </param>
/// <param name="Config">Constructor arguments. <c>attention_resolutions</c> are down-sampling factors.</param>
public sealed record Architecture(string Kind, JsonObject Config);
