using Diffusion.Imaging;
using Diffusion.Networks;
using Diffusion.Networks.MediaPipeFace;
using Diffusion.Runtime;

namespace Diffusion.Faces;

/// <summary>MediaPipe's 468 landmarks of the face in a square. Immutable; may be used by several threads.</summary>
public sealed class FaceLandmarker : IDisposable
{
    private readonly GraphNetwork _network;

    /// <summary>Landmarks by a network, which is taken over.</summary>
    public FaceLandmarker(GraphNetwork network) => _network = network;

    /// <summary>The network that ships.</summary>
    public static FaceLandmarker Shipped() => new(GraphNetwork.Load(FaceModels.Folder, "face_landmark"));

    /// <summary>Side of the network's input.</summary>
    public int InputSize => _network.Graph.InputSize;

    /// <summary>The landmarks in each square.</summary>
    /// <param name="picture">[1,3,H,W] float32 on [0,1]; borrowed.</param>
    /// <param name="squares">In pixels of the picture.</param>
    public IReadOnlyList<FaceLandmarks> Find(Tensor picture, IReadOnlyList<FaceSquare> squares) =>
        Find(square => Crop(picture, square), squares);

    /// <summary>The landmarks in each square, whose input <paramref name="crop"/> samples.</summary>
    internal IReadOnlyList<FaceLandmarks> Find(Func<FaceSquare, Tensor> crop, IReadOnlyList<FaceSquare> squares)
    {
        if (squares.Count == 0)
            return [];
        using ComputeScope scope = new();
        Tensor[] raw = Evaluate(torch.cat([.. squares.Select(crop)]));
        float[] values = raw[0].contiguous().data<float>().ToArray(),
            presence = raw[1].contiguous().data<float>().ToArray();
        int count = values.Length / squares.Count;
        return [.. squares.Select((square, n) => Read(square, values.AsSpan(n * count, count), presence[n]))];
    }

    /// <summary>The network's input [1,3,S,S] on [0,1]; beyond the picture its border is repeated. The caller owns it.</summary>
    public Tensor Crop(Tensor picture, FaceSquare square) => Warp.Bilinear(picture, square.FromCrop(InputSize), InputSize, InputSize);

    /// <summary>The network's results [N,1404,1,1] and [N,1,1,1]; the caller owns them.</summary>
    public Tensor[] Evaluate(Tensor crops, ModuleTrace? trace = null) => _network.Forward(crops, trace);

    /// <summary>The network's numbers for one square in pixels of the picture.</summary>
    public FaceLandmarks Read(FaceSquare square, ReadOnlySpan<float> values, double rawPresence)
    {
        Affine back = square.FromCrop(InputSize);
        FaceLandmark[] points = new FaceLandmark[values.Length / 3];
        for (int k = 0; k < points.Length; k++)
        {
            (double x, double y) = back.Apply(values[3 * k], values[3 * k + 1]);
            points[k] = new FaceLandmark(x, y, values[3 * k + 2] / (double)InputSize * square.Side);
        }
        return new FaceLandmarks(points, 1 / (1 + Math.Exp(-rawPresence)));
    }

    /// <inheritdoc/>
    public void Dispose() => _network.Dispose();
}
