using Diffusion.Checkpoints;
using Diffusion.Networks.Layers;
using Diffusion.Runtime;

namespace Diffusion.Networks.FaceApi;

/// <summary>face-api's 68 landmarks: dense blocks, the mean over space, one matrix.</summary>
public sealed class FaceLandmarkNetwork : Network
{
    /// <summary>Side of the input.</summary>
    public const int InputSize = 112;

    private const long Values = 2 * 68;
    private static readonly long[] Widths = [32, 64, 128, 256];

    private readonly Block[] _blocks;
    private readonly Parameter _weights,
        _bias;

    /// <summary>Declares the parameters.</summary>
    /// <param name="tiny">The published small variant: three blocks of three convolutions instead of four of four.</param>
    /// <param name="policy">How it computes.</param>
    public FaceLandmarkNetwork(bool tiny = false, ComputePolicy? policy = null)
        : base(policy)
    {
        int count = tiny ? 3 : 4;
        _blocks = [.. Enumerable.Range(0, count).Select(k => new Block(this, $"dense{k}", k == 0 ? 3 : Widths[k - 1], Widths[k], count))];
        _weights = Declare("fc/weights", [Widths[count - 1], Values], Init.FanIn(Widths[count - 1]));
        _bias = Declare("fc/bias", [Values], Init.FanIn(Widths[count - 1]));
    }

    /// <summary>Loads the published files of a folder.</summary>
    /// <exception cref="CheckpointException">A file is missing or damaged.</exception>
    public static FaceLandmarkNetwork Load(string folder, bool tiny = false)
    {
        FaceLandmarkNetwork network = new(tiny);
        QuantizedWeights.LoadInto(network, folder, tiny ? "face_landmark_68_tiny_model" : "face_landmark_68_model");
        return network;
    }

    /// <summary>Evaluates the network.</summary>
    /// <param name="x">[N,3,112,112] float32, mean removed; borrowed.</param>
    /// <param name="trace">Sees <c>dense0</c>, <c>dense1</c>, ..., or null.</param>
    /// <returns>[N,136]: x0, y0, x1, ... in units of the square; the caller owns it.</returns>
    public Tensor Forward(Tensor x, ModuleTrace? trace = null)
    {
        using ComputeScope scope = new();
        Tensor h = x;
        for (int k = 0; k < _blocks.Length; k++)
        {
            h = _blocks[k].Forward(h);
            trace?.Invoke($"dense{k}", h);
        }
        return scope.Return(h.mean([2, 3]).matmul(_weights.Value) + _bias.Value);
    }

    /// <summary>Each convolution sees the sum of all before it.</summary>
    private sealed class Block
    {
        private readonly Func<Tensor, Tensor> _first;
        private readonly SeparableConvolution[] _others;

        public Block(Network network, string name, long inputs, long outputs, int count)
        {
            _first =
                inputs == 3
                    ? new Convolution(network, $"{name}/conv0", inputs, outputs, 3, stride: 2).Forward
                    : new SeparableConvolution(network, $"{name}/conv0", inputs, outputs, stride: 2).Forward;
            _others =
            [
                .. Enumerable.Range(1, count - 1).Select(k => new SeparableConvolution(network, $"{name}/conv{k}", outputs, outputs)),
            ];
        }

        public Tensor Forward(Tensor x)
        {
            Tensor sum = _first(x).relu();
            foreach (SeparableConvolution convolution in _others)
                sum = sum + convolution.Forward(sum.relu());
            return sum.relu();
        }
    }
}
