using Diffusion.Checkpoints;
using Diffusion.Networks.Layers;
using Diffusion.Runtime;

namespace Diffusion.Networks.FaceApi;

/// <summary>
/// The face descriptor of dlib (D. King) as face-api publishes it: a small residual network whose 128 numbers lie close together
/// for
/// pictures of one person.
/// </summary>
/// <remarks>Differentiable when gradients are on.</remarks>
public sealed class FaceDescriptorNetwork : Network
{
    /// <summary>Side of the published input.</summary>
    public const int InputSize = 150;

    private static readonly (string Name, long Inputs, long Outputs)[] Layout =
    [
        ("conv32_1", 32, 32),
        ("conv32_2", 32, 32),
        ("conv32_3", 32, 32),
        ("conv64_down", 32, 64),
        ("conv64_1", 64, 64),
        ("conv64_2", 64, 64),
        ("conv64_3", 64, 64),
        ("conv128_down", 64, 128),
        ("conv128_1", 128, 128),
        ("conv128_2", 128, 128),
        ("conv256_down", 128, 256),
        ("conv256_1", 256, 256),
        ("conv256_2", 256, 256),
        ("conv256_down_out", 256, 256),
    ];

    private readonly ScaledConvolution _first;
    private readonly (string Name, Block Block)[] _blocks;
    private readonly Parameter _matrix;

    /// <summary>Declares the parameters.</summary>
    public FaceDescriptorNetwork(ComputePolicy? policy = null)
        : base(policy)
    {
        _first = new ScaledConvolution(this, "conv32_down", 3, 32, kernel: 7, stride: 2, same: false);
        _blocks = [.. Layout.Select(entry => (entry.Name, new Block(this, entry.Name, entry.Inputs, entry.Outputs)))];
        _matrix = Declare("fc", [256, 128], Init.FanIn(256));
    }

    /// <summary>Loads the published files of a folder.</summary>
    /// <exception cref="CheckpointException">A file is missing or damaged.</exception>
    public static FaceDescriptorNetwork Load(string folder)
    {
        FaceDescriptorNetwork network = new();
        QuantizedWeights.LoadInto(network, folder, "face_recognition_model");
        return network;
    }

    /// <summary>Evaluates the network.</summary>
    /// <param name="x">[N,3,150,150] float32, mean removed; borrowed.</param>
    /// <param name="trace">Sees <c>conv32_down</c> and every block by its published name, or null.</param>
    /// <returns>[N,128], not normalised; the caller owns it.</returns>
    public Tensor Forward(Tensor x, ModuleTrace? trace = null)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor h = _first.Forward(x).relu();
        trace?.Invoke("conv32_down", h);
        h = torch.nn.functional.max_pool2d(h, 3, 2);
        foreach ((string name, Block block) in _blocks)
        {
            h = block.Forward(h);
            trace?.Invoke(name, h);
        }
        return h.mean([2, 3]).matmul(_matrix.Value).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Two convolutions beside a shortcut; a block that halves the size averages the shortcut and appends what it lacks as zeros.
    /// </summary>
    private sealed class Block(Network network, string name, long inputs, long outputs)
    {
        private readonly bool _down = name.Contains("_down", StringComparison.Ordinal);
        private readonly ScaledConvolution _conv1 = name.Contains("_down", StringComparison.Ordinal)
                ? new(network, $"{name}/conv1", inputs, outputs, stride: 2, same: false)
                : new(network, $"{name}/conv1", inputs, outputs),
            _conv2 = new(network, $"{name}/conv2", outputs, outputs);

        public Tensor Forward(Tensor x)
        {
            Tensor branch = _conv2.Forward(_conv1.Forward(x).relu());
            if (!_down)
                return (branch + x).relu();
            Tensor shortcut = torch.nn.functional.avg_pool2d(x, 2, 2);
            (long rows, long columns) = (shortcut.shape[2] - branch.shape[2], shortcut.shape[3] - branch.shape[3]);
            return (
                torch.nn.functional.pad(branch, [0, columns, 0, rows])
                + torch.nn.functional.pad(shortcut, [0, 0, 0, 0, 0, outputs - inputs])
            ).relu();
        }
    }
}
