using Diffusion.Networks;
using Diffusion.Networks.Layers;
using Diffusion.Runtime;

namespace Diffusion.Training;

/// <summary>
/// Says of each patch of a picture how real it looks: a small convolutional network without norms, used in training only.
/// </summary>
public sealed class FaceCritic : Network
{
    /// <summary>What the names of its parameters begin with.</summary>
    public const string Prefix = "critic.";

    private const int Patch = 2;
    private const double Leak = 0.2;
    private static readonly (int Width, int Stride)[] s_layers = [(32, 2), (64, 1), (96, 2), (96, 1)];

    private readonly Conv2d[] _layers;
    private readonly Conv2d _verdict;

    /// <summary>Declares the parameters.</summary>
    public FaceCritic(ComputePolicy? policy = null)
        : base(policy)
    {
        int inputs = 3 * Patch * Patch;
        List<Conv2d> layers = [];
        foreach ((int width, int stride) in s_layers)
        {
            layers.Add(new Conv2d(this, $"{Prefix}{layers.Count}", inputs, width, stride: stride));
            inputs = width;
        }
        _layers = [.. layers];
        _verdict = new Conv2d(this, $"{Prefix}verdict", inputs, 1, keepFloat32: true);
    }

    /// <summary>Judges pictures.</summary>
    /// <param name="x">[N,3,S,S] float32 on [-1,1], S a multiple of 8; borrowed.</param>
    /// <returns>[N,1,S/8,S/8] float32, the higher the more real; the caller owns it.</returns>
    public Tensor Forward(Tensor x)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor h = ChannelsLast.Of(torch.nn.functional.pixel_unshuffle(x, Patch).to(Policy.NetworkDtype));
        foreach (Conv2d layer in _layers)
            h = torch.nn.functional.leaky_relu(layer.Forward(h), Leak);
        return _verdict.Forward(h.to(ScalarType.Float32)).MoveToOuterDisposeScope();
    }
}
