using Diffusion.Checkpoints;
using Diffusion.Networks.Layers;

namespace Diffusion.Networks;

/// <summary>
/// NAFNet's block: x + beta conv3(a attention(a)), a = gate(depthwise(conv1(norm(x)))); then y + gamma conv5(gate(conv4(norm(y)))), where a
/// gate multiplies one half of the channels with the other.
/// </summary>
internal sealed class NafBlock
{
    private readonly string _name;
    private readonly (int Height, int Width)? _window;
    private readonly LayerNorm _norm1,
        _norm2;
    private readonly Conv2d _widen,
        _depthwise,
        _narrow,
        _widenAgain,
        _narrowAgain;
    private readonly Conv2d _attention;
    private readonly Parameter _beta,
        _gamma;

    /// <summary>Declares it.</summary>
    /// <param name="network">Where to declare it.</param>
    /// <param name="name">Its published name.</param>
    /// <param name="channels">c.</param>
    /// <param name="epsilon">Of the norms.</param>
    /// <param name="window">What the attention averages over; null: the whole picture.</param>
    public NafBlock(Network network, string name, long channels, double epsilon, (int Height, int Width)? window)
    {
        (_name, _window) = (name, window);
        _beta = network.Declare($"{name}.beta", [1, channels, 1, 1], Init.Zeros, keepFloat32: true);
        _gamma = network.Declare($"{name}.gamma", [1, channels, 1, 1], Init.Zeros, keepFloat32: true);
        _widen = new Conv2d(network, $"{name}.conv1", channels, 2 * channels, kernel: 1);
        _depthwise = new Conv2d(network, $"{name}.conv2", 2 * channels, 2 * channels, groups: (int)(2 * channels));
        _narrow = new Conv2d(network, $"{name}.conv3", channels, channels, kernel: 1);
        _attention = new Conv2d(network, $"{name}.sca.1", channels, channels, kernel: 1);
        _widenAgain = new Conv2d(network, $"{name}.conv4", channels, 2 * channels, kernel: 1);
        _narrowAgain = new Conv2d(network, $"{name}.conv5", channels, channels, kernel: 1);
        _norm1 = new LayerNorm(network, $"{name}.norm1", channels, epsilon);
        _norm2 = new LayerNorm(network, $"{name}.norm2", channels, epsilon);
    }

    /// <summary>[N,c,H,W] float32, channels last, borrowed, to the same; the caller owns it.</summary>
    public Tensor Forward(Tensor x, ModuleTrace? trace)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor y = First(x, trace);
        return Added(y, _gamma, _narrowAgain.Forward(Gated(_widenAgain.Forward(Normed(_norm2, y))))).MoveToOuterDisposeScope();
    }

    private Tensor First(Tensor x, ModuleTrace? trace)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor normed = Normed(_norm1, x);
        trace?.Invoke($"{_name}.norm1", normed);
        Tensor gated = Widened(normed),
            attention = _attention.Forward(LocalMean.Of(gated, _window));
        trace?.Invoke($"{_name}.sca", attention);
        return Added(x, _beta, _narrow.Forward(gated * attention)).MoveToOuterDisposeScope();
    }

    private Tensor Widened(Tensor normed)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return Gated(_depthwise.Forward(_widen.Forward(normed))).MoveToOuterDisposeScope();
    }

    // What is added up over the blocks stays float32.
    private static Tensor Added(Tensor x, Parameter factor, Tensor change)
    {
        using (change)
            return torch.addcmul(x, change.to(x.dtype), factor.Value, 1);
    }

    private static Tensor Gated(Tensor wide)
    {
        using (wide)
        {
            Tensor[] halves = wide.chunk(2, dim: 1);
            using Tensor first = halves[0],
                second = halves[1];
            return first * second;
        }
    }

    private static Tensor Normed(LayerNorm norm, Tensor x)
    {
        using Tensor rows = ChannelsLast.Rows(x),
            normed = norm.Forward(rows);
        return normed.permute(0, 3, 1, 2);
    }
}
