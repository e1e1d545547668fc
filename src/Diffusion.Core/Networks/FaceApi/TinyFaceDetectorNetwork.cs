using Diffusion.Runtime;

namespace Diffusion.Networks.FaceApi;

/// <summary>face-api's small one-shot detector: six convolutions with pooling between, 5 anchors a cell of 32 pixels.</summary>
public sealed class TinyFaceDetectorNetwork : Network
{
    private const string Published = "tiny_face_detector_model";
    private const double Slope = 0.1f;
    private static readonly long[] Widths = [16, 32, 64, 128, 256, 512];

    private readonly Convolution _first,
        _last;
    private readonly SeparableConvolution[] _middle;

    /// <summary>Declares the parameters.</summary>
    public TinyFaceDetectorNetwork(ComputePolicy? policy = null)
        : base(policy)
    {
        _first = new Convolution(this, "conv0", 3, Widths[0], 3, same: false);
        _middle = [.. Enumerable.Range(1, 5).Select(k => new SeparableConvolution(this, $"conv{k}", Widths[k - 1], Widths[k]))];
        _last = new Convolution(this, "conv8", Widths[^1], 25, 1);
    }

    /// <inheritdoc/>
    public override int SizeMultiple => 32;

    /// <summary>Loads the published files of a folder.</summary>
    /// <exception cref="CheckpointException">A file is missing or damaged.</exception>
    public static TinyFaceDetectorNetwork Load(string folder)
    {
        TinyFaceDetectorNetwork network = new();
        QuantizedWeights.LoadInto(network, folder, Published);
        return network;
    }

    /// <summary>Evaluates the network.</summary>
    /// <param name="x">[N,3,S,S] float32, S a multiple of 32, mean removed; borrowed.</param>
    /// <param name="trace">Sees <c>conv3</c> to <c>conv5</c> and the others after their activation, or null.</param>
    /// <returns>[N,S/32,S/32,25]: per anchor tx, ty, tw, th, score; the caller owns it.</returns>
    public Tensor Forward(Tensor x, ModuleTrace? trace = null)
    {
        using ComputeScope scope = new();
        Tensor h = Leaky(_first.Forward(x));
        trace?.Invoke("conv0", h);
        for (int k = 0; k < _middle.Length; k++)
        {
            h = Leaky(_middle[k].Forward(Pool(h, 2)));
            trace?.Invoke($"conv{k + 1}", h);
        }
        return scope.Return(_last.Forward(Pool(h, 1)).permute(0, 2, 3, 1).contiguous());
    }

    private static Tensor Leaky(Tensor x) => (x - Slope * x).relu() + Slope * x;

    private static Tensor Pool(Tensor x, long stride) =>
        torch.nn.functional.max_pool2d(Same.Pad(x, 2, stride, double.NegativeInfinity), 2, stride);
}
