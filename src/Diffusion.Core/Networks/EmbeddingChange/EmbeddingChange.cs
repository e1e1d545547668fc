using Diffusion.Networks.Layers;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>OSDFace's way from codes to a UNet's context: silu(W2 silu(W1 token)), each token by itself.</summary>
public sealed class EmbeddingChange : Network
{
    private readonly Linear _first,
        _second;

    /// <summary>Declares <c>conv1</c> and <c>conv2</c>, which are published as one-dimensional 1x1 convolutions.</summary>
    public EmbeddingChange(EmbeddingChangeConfig config, ComputePolicy? policy = null)
        : base(policy)
    {
        Config = config;
        _first = new Linear(this, "conv1", config.InChannels, config.Hidden, 1, keepFloat32: true);
        _second = new Linear(this, "conv2", config.Hidden, config.OutChannels, 1, keepFloat32: true);
    }

    /// <summary>The constructor arguments.</summary>
    public EmbeddingChangeConfig Config { get; }

    /// <summary>[N,T,in_channels] tokens, borrowed, to [N,T,out_channels]; the caller owns it.</summary>
    public Tensor Forward(Tensor tokens)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor hidden = torch.nn.functional.silu(_first.Forward(tokens));
        return torch.nn.functional.silu(_second.Forward(hidden)).MoveToOuterDisposeScope();
    }
}

/// <summary>Constructor arguments of <see cref="EmbeddingChange"/>.</summary>
/// <param name="InChannels">Width of a code.</param>
/// <param name="Hidden">Width between the layers.</param>
/// <param name="OutChannels">Width of the UNet's context.</param>
public sealed record EmbeddingChangeConfig(int InChannels = 512, int Hidden = 256, int OutChannels = 1024)
{
    /// <summary>The constructor arguments by name.</summary>
    public static ConfigKeys<EmbeddingChangeConfig> Keys { get; } =
        new("embedding change", new())
        {
            { "in_channels", c => c.InChannels, (c, value) => c with { InChannels = value }, Key.Shown },
            { "hidden", c => c.Hidden, (c, value) => c with { Hidden = value }, Key.Shown },
            { "out_channels", c => c.OutChannels, (c, value) => c with { OutChannels = value }, Key.Shown },
        };
}
