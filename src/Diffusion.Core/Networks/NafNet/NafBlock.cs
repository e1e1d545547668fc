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
    private readonly Conv2d _depthwise;

    // Published as 1x1 convolutions. As those libtorch 2.10 divides by zero in bf16 at 512 channels, which ends the process.
    private readonly Linear _widen,
        _narrow,
        _attention,
        _widenAgain,
        _narrowAgain;
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
        _widen = new Linear(network, $"{name}.conv1", channels, 2 * channels, kernelRank: 2);
        // Nine products a value: float32 costs little here.
        _depthwise = new Conv2d(
            network,
            $"{name}.conv2",
            2 * channels,
            2 * channels,
            keepFloat32: true,
            result: network.Policy.NetworkDtype,
            groups: (int)(2 * channels)
        );
        _narrow = new Linear(network, $"{name}.conv3", channels, channels, kernelRank: 2);
        _attention = new Linear(network, $"{name}.sca.1", channels, channels, kernelRank: 2);
        _widenAgain = new Linear(network, $"{name}.conv4", channels, 2 * channels, kernelRank: 2);
        _narrowAgain = new Linear(network, $"{name}.conv5", channels, channels, kernelRank: 2);
        _norm1 = new LayerNorm(network, $"{name}.norm1", channels, epsilon);
        _norm2 = new LayerNorm(network, $"{name}.norm2", channels, epsilon);
    }

    /// <summary>[N,c,H,W] float32, channels last, borrowed, to the same; the caller owns it.</summary>
    public Tensor Forward(Tensor x, ModuleTrace? trace)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor y = First(x, trace);
        return Added(y, _gamma, Mixed(_narrowAgain, Gated(Mixed(_widenAgain, Normed(_norm2, y))))).MoveToOuterDisposeScope();
    }

    private Tensor First(Tensor x, ModuleTrace? trace)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor normed = Normed(_norm1, x);
        trace?.Invoke($"{_name}.norm1", normed);
        Tensor gated = Widened(normed),
            attention = Mixed(_attention, LocalMean.Of(gated, _window));
        trace?.Invoke($"{_name}.sca", attention);
        return Added(x, _beta, Mixed(_narrow, gated * attention)).MoveToOuterDisposeScope();
    }

    private Tensor Widened(Tensor normed)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return Gated(_depthwise.Forward(Mixed(_widen, normed))).MoveToOuterDisposeScope();
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

    private static Tensor Mixed(Linear channels, Tensor x)
    {
        using Tensor rows = ChannelsLast.Rows(x),
            mixed = channels.Forward(rows);
        return mixed.permute(0, 3, 1, 2);
    }

    private static Tensor Normed(LayerNorm norm, Tensor x)
    {
        using Tensor rows = ChannelsLast.Rows(x),
            normed = norm.Forward(rows);
        return normed.permute(0, 3, 1, 2);
    }
}
