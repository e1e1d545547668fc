using Diffusion.Imaging;
using Diffusion.Runtime;

namespace Diffusion.Metrics;

/// <summary>Learned perceptual image patch similarity, version 0.1 (Zhang et al. 2018); 0 is identity.</summary>
/// <remarks>
/// Feature maps of a classification network are divided by (channel norm + 1e-10), their squared difference is weighted by one trained
/// number a channel and averaged over the picture; distances add up over the layers.
/// The trained numbers ship; the network's weights do not: give torchvision's file (<c>features.0.weight</c>, ...) or one in LPIPS names
/// (<c>net.slice1.0.weight</c>, ..., <c>lin0.model.1.weight</c>, ...).
/// Immutable; may be used by several threads.
/// </remarks>
public sealed class Lpips : IDisposable
{
    private const double Epsilon = 1e-10;
    private static readonly float[] Shift = [-0.030f, -0.088f, -0.188f],
        Scale = [0.458f, 0.448f, 0.450f];

    private readonly LpipsTrunk.Layer[][] _slices;
    private readonly Dictionary<string, Tensor> _trunk = [];
    private readonly Tensor[] _linear;

    /// <summary>Takes the weights from named tensors, which are copied as float32.</summary>
    /// <param name="net">The network.</param>
    /// <param name="weights">Tensors of a checkpoint by name, [out,in,k,k] and [out]; borrowed. Further ones (classifier, scaling layer)
    /// are ignored.</param>
    /// <exception cref="CheckpointException">A weight is missing or has the wrong shape.</exception>
    public Lpips(LpipsNet net, IReadOnlyDictionary<string, Tensor> weights)
    {
        Net = net;
        _slices = LpipsTrunk.Slices(net);
        _linear = new Tensor[_slices.Length];
        using DisposeScope scope = torch.NewDisposeScope();
        using IDisposable noGrad = torch.no_grad();
        try
        {
            for (int k = 0; k < _slices.Length; k++)
                foreach (LpipsTrunk.Layer layer in _slices[k])
                foreach (string parameter in LpipsTrunk.Parameters(layer))
                    _trunk[$"{layer.Index}.{parameter}"] = Own(
                        Find(weights, $"features.{layer.Index}.{parameter}", $"net.slice{k + 1}.{layer.Index}.{parameter}")
                    );
            for (int k = 0; k < _slices.Length; k++)
            {
                long channels = FeatureChannels(_slices[k][^1]);
                _linear[k] = Own(Linear(weights, k, channels));
                if (!_linear[k].shape.SequenceEqual([1, channels, 1, 1]))
                    throw new CheckpointException(
                        $"lin{k}.model.1.weight is [{string.Join(",", _linear[k].shape)}] where the trunk needs [1,{channels},1,1]",
                        "LPIPS weights",
                        "Use the linear weights that belong to this trunk"
                    );
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The network.</summary>
    public LpipsNet Net { get; }

    /// <summary>The distance of pictures.</summary>
    /// <param name="a">[N,C,H,W] on [0,1], C = 3 or 1 (gray is shown in three channels); borrowed.</param>
    /// <param name="b">The same shape.</param>
    /// <returns>[N,1,1,1]; the caller owns it.</returns>
    public Tensor Distance(Tensor a, Tensor b)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return LayerDistances(a * 2 - 1, b * 2 - 1).Aggregate((sum, layer) => sum + layer).MoveToOuterDisposeScope();
    }

    /// <summary>The contribution of each layer for pictures on [-1,1], the range of the published code.</summary>
    /// <returns>[N,1,1,1] each; the caller owns them.</returns>
    /// <exception cref="ArgumentException">The pictures differ in size.</exception>
    public Tensor[] LayerDistances(Tensor a, Tensor b)
    {
        if (!a.shape.SequenceEqual(b.shape))
            throw new ArgumentException($"The pictures differ in size: {Shapes.Describe(a)} and {Shapes.Describe(b)}.");
        using DisposeScope scope = torch.NewDisposeScope();
        using IDisposable noGrad = torch.no_grad();
        Tensor[] first = Features(a),
            second = Features(b);
        return
        [
            .. first.Select(
                (feature, k) =>
                    ((Unit(feature) - Unit(second[k])).square() * _linear[k].to(feature.device))
                        .sum(1, keepdim: true)
                        .mean([2, 3], keepdim: true)
                        .MoveToOuterDisposeScope()
            ),
        ];
    }

    /// <summary>The trunk's feature maps of pictures on [-1,1], one a slice. The caller owns them.</summary>
    /// <exception cref="ArgumentException">The picture is smaller than the trunk's pooling allows.</exception>
    public Tensor[] Features(Tensor x)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using IDisposable noGrad = torch.no_grad();
        int smallest = LpipsTrunk.SmallestSide(Net);
        if (x.dim() != 4 || Math.Min(x.shape[2], x.shape[3]) < smallest)
            throw new ArgumentException(
                $"LPIPS by this network needs pictures [N,C,H,W] of at least {smallest}x{smallest} pixels, not {Shapes.Describe(x)}.",
                nameof(x)
            );
        Tensor signal = ScaleInput(x);
        Tensor[] features = new Tensor[_slices.Length];
        for (int k = 0; k < _slices.Length; k++)
        {
            foreach (LpipsTrunk.Layer layer in _slices[k])
                signal = LpipsTrunk.Forward(layer, signal, name => _trunk[$"{layer.Index}.{name}"].to(signal.device));
            features[k] = signal;
        }
        foreach (Tensor feature in features)
            feature.MoveToOuterDisposeScope();
        return features;
    }

    /// <summary>(x - shift)/scale by channel, from [-1,1] to the trunk's input. The caller owns the result.</summary>
    public static Tensor ScaleInput(Tensor x)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor shift = torch.tensor(Shift, device: x.device).reshape(1, 3, 1, 1),
            scale = torch.tensor(Scale, device: x.device).reshape(1, 3, 1, 1);
        return ((Color.ToRgb(x).to(ScalarType.Float32) - shift) / scale).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor weight in _trunk.Values)
            weight.Dispose();
        foreach (Tensor? weight in _linear)
            weight?.Dispose();
    }

    private static Tensor Unit(Tensor feature) => feature / (feature.square().sum(1, keepdim: true).sqrt() + Epsilon);

    private static Tensor Own(Tensor weight) => weight.to(ScalarType.Float32, copy: true).DetachFromDisposeScope();

    private long FeatureChannels(LpipsTrunk.Layer last) =>
        last is LpipsTrunk.Fire
            ? _trunk[$"{last.Index}.expand1x1.weight"].shape[0] + _trunk[$"{last.Index}.expand3x3.weight"].shape[0]
            : _trunk[$"{last.Index}.weight"].shape[0];

    private static Tensor Find(IReadOnlyDictionary<string, Tensor> weights, params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
            if (weights.TryGetValue(name, out Tensor? tensor))
                return tensor;
        throw new CheckpointException(
            $"There is no weight {names[0]} (or {names[1]})",
            "LPIPS weights",
            "Give torchvision's weights of this network, or a file in LPIPS names"
        );
    }

    /// <summary>The file's own linear weights, else the published ones.</summary>
    private Tensor Linear(IReadOnlyDictionary<string, Tensor> weights, int k, long channels)
    {
        if (weights.TryGetValue($"lin{k}.model.1.weight", out Tensor? own))
            return own;
        int[] published = LpipsTrunk.Channels(Net);
        if (channels != published[k])
            return Find(weights, $"lin{k}.model.1.weight", $"lins.{k}.model.1.weight");
        int start =
            LpipsTrunk.Channels(LpipsNet.Alex).Sum() * (Net == LpipsNet.Alex ? 0 : 1)
            + (Net == LpipsNet.Squeeze ? LpipsTrunk.Channels(LpipsNet.Vgg).Sum() : 0)
            + published[..k].Sum();
        return torch.tensor(Assets.Floats("lpips.bin")[start..(start + published[k])]).reshape(1, channels, 1, 1);
    }
}
