using Diffusion.Networks.Layers;

namespace Diffusion.Networks;

/// <summary>How the parts of an encoder are called below its own name.</summary>
internal abstract record LatentEncoderNames
{
    /// <summary>diffusers: <c>down_blocks.0.resnets.0</c>, <c>mid_block.attentions.0.to_q</c>.</summary>
    public static LatentEncoderNames Diffusers { get; } = new DiffusersNames();

    /// <summary>taming-transformers: <c>down.0.block.0</c>, <c>mid.attn_1.q</c>.</summary>
    public static LatentEncoderNames Taming { get; } = new TamingNames();

    public abstract string Level(int level);

    public abstract string Resnet(int level, int i);

    public abstract string Attention(int level, int i);

    public abstract string Downsample(int level);

    public abstract string Middle { get; }

    public abstract string MiddleResnet(int i);

    public abstract string MiddleAttention { get; }
    public abstract string Norm { get; }
    public abstract string Shortcut { get; }

    /// <summary>A residual block of one of these names.</summary>
    public ResidualBlock NewBlock(Network network, string name, long inputs, long outputs, long groups, double epsilon) =>
        new(
            network,
            name,
            inputs,
            outputs,
            null,
            scaleShift: false,
            names: ResidualNames.Diffusers with
            {
                Skip = Shortcut,
            },
            groups: groups,
            epsilon: epsilon
        );

    /// <summary>An attention over pixels of one of these names.</summary>
    public abstract PixelAttention NewAttention(Network network, string name, long channels, long groups, double epsilon, long heads);

    private sealed record DiffusersNames : LatentEncoderNames
    {
        public override string Level(int level) => $"down_blocks.{level}";

        public override string Resnet(int level, int i) => $"down_blocks.{level}.resnets.{i}";

        public override string Attention(int level, int i) => $"down_blocks.{level}.attentions.{i}";

        public override string Downsample(int level) => $"down_blocks.{level}.downsamplers.0";

        public override string Middle => "mid_block";

        public override string MiddleResnet(int i) => $"mid_block.resnets.{i}";

        public override string MiddleAttention => "mid_block.attentions.0";
        public override string Norm => "conv_norm_out";
        public override string Shortcut => "conv_shortcut";

        public override PixelAttention NewAttention(Network network, string name, long channels, long groups, double epsilon, long heads) =>
            new(network, $"{name}.group_norm", AttentionNames.Transformer(name), channels, groups, epsilon, heads);
    }

    private sealed record TamingNames : LatentEncoderNames
    {
        public override string Level(int level) => $"down.{level}";

        public override string Resnet(int level, int i) => $"down.{level}.block.{i}";

        public override string Attention(int level, int i) => $"down.{level}.attn.{i}";

        public override string Downsample(int level) => $"down.{level}.downsample";

        public override string Middle => "mid";

        public override string MiddleResnet(int i) => $"mid.block_{i + 1}";

        public override string MiddleAttention => "mid.attn_1";
        public override string Norm => "norm_out";
        public override string Shortcut => "nin_shortcut";

        public override PixelAttention NewAttention(Network network, string name, long channels, long groups, double epsilon, long heads) =>
            new(network, $"{name}.norm1", AttentionNames.Pixels(name), channels, groups, epsilon, heads, kernelRank: 2);
    }
}
