using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>The UNet of Song et al., "Consistency Models" (2023): openai/consistency_models' UNetModel.</summary>
/// <remarks>
/// An <see cref="AdmUNet"/> whose attention layers are two-dimensional 1x1 convolutions with q, k, v first, whatever <see
/// cref="AdmUNetConfig.UseNewAttentionOrder"/> says.
/// </remarks>
public sealed class ConsistencyUNet(AdmUNetConfig config, ComputePolicy? policy = null)
    : AdmUNet(config with { ConsistencyAttention = true }, policy);
