using Diffusion.Checkpoints;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Sampling;

namespace Diffusion.Tests.Networks;

/// <summary>A family as a plug-in would bring it: one convolution that estimates the picture.</summary>
[Network("box")]
public sealed class BoxFamily : NetworkFamily<BoxConfig>
{
    public override string Description => "a box";
    public override IReadOnlyList<string> Landmarks => ["box.weight"];
    public override Prediction? Prediction => Sampling.Prediction.X0;

    public override ConfigKeys<BoxConfig> Keys { get; } =
        new("box", new BoxConfig(3)) { { "side", c => c.Side, (c, value) => c with { Side = value }, Key.Shown } };

    protected override BoxConfig? ByShapes(ShapeTable shapes) =>
        shapes.Names.Count == 1 && shapes.Size("box.weight", 3) is { } side ? new BoxConfig(side) : null;

    protected override Network Create(BoxConfig config, ComputePolicy? policy) => new BoxNetwork(config, policy);
}

public sealed record BoxConfig(int Side);

public sealed class BoxNetwork : DenoisingNetwork
{
    private readonly Diffusion.Networks.Layers.Conv2d _box;

    public BoxNetwork(BoxConfig config, ComputePolicy? policy)
        : base(policy) => _box = new(this, "box", 3, 3, config.Side, bias: false, groups: 3);

    public override int Channels => 3;
    public override (double Min, double Max) NoiseRange => (0.1, 0.3);
    public override double ValuesPerPixel => 6;

    public override Tensor Denoise(Tensor x, double sigma) => _box.Forward(x);
}
