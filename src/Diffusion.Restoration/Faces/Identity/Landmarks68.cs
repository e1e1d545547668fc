using Diffusion.Networks.FaceApi;
using Diffusion.Runtime;

namespace Diffusion.Faces;

/// <summary>face-api's 68 landmarks of the face in a rectangle. Immutable; may be used by several threads.</summary>
public sealed class Landmarks68 : IDisposable
{
    private readonly FaceLandmarkNetwork _network;

    /// <summary>Landmarks by a network, which is taken over.</summary>
    public Landmarks68(FaceLandmarkNetwork network) => _network = network;

    /// <summary>The network that ships.</summary>
    public static Landmarks68 Shipped() => new(FaceLandmarkNetwork.Load(FaceModels.Folder));

    /// <summary>The landmarks of the face that fills a crop.</summary>
    /// <param name="crop">[1,3,h,w] float32 on [0,1]; borrowed.</param>
    /// <returns>
    /// 68 points in pixels of the crop: 0-16 jaw, 17-26 brows, 27-35 nose, 36-41 and 42-47 eyes (left and right of the picture),
    /// 48-67 mouth.
    /// </returns>
    public IReadOnlyList<(double X, double Y)> Find(Tensor crop)
    {
        using ComputeScope scope = new();
        Tensor square = SquareInput.Square(crop, FaceLandmarkNetwork.InputSize, centered: true);
        Tensor raw = _network.Forward(SquareInput.Normalize(square, SquareInput.FaceMean));
        (int width, int height) = ((int)crop.shape[3], (int)crop.shape[2]);
        return [.. Relative(raw.data<float>().ToArray(), width, height).Select(point => (point.X * width, point.Y * height))];
    }

    /// <summary>The network's 136 numbers, which count in squares, in units of the crop's sides.</summary>
    public static IReadOnlyList<(double X, double Y)> Relative(IReadOnlyList<float> raw, int width, int height)
    {
        const double Size = FaceLandmarkNetwork.InputSize;
        double longer = Math.Max(width, height),
            w = Size * width / longer,
            h = Size * height / longer;
        double left = Math.Max(0, (h - w) / 2),
            top = Math.Max(0, (w - h) / 2);
        return [.. Enumerable.Range(0, raw.Count / 2).Select(k => ((raw[2 * k] * Size - left) / w, (raw[2 * k + 1] * Size - top) / h))];
    }

    /// <summary>Centres of the eyes (left and right of the picture) and of the mouth.</summary>
    public static ((double X, double Y) LeftEye, (double X, double Y) RightEye, (double X, double Y) Mouth) Centers(
        IReadOnlyList<(double X, double Y)> points
    )
    {
        (double, double) Mean(int first, int last)
        {
            IEnumerable<(double X, double Y)> part = points.Take(new Range(first, last + 1));
            return (part.Average(point => point.X), part.Average(point => point.Y));
        }
        return (Mean(36, 41), Mean(42, 47), Mean(48, 67));
    }

    /// <inheritdoc/>
    public void Dispose() => _network.Dispose();
}
