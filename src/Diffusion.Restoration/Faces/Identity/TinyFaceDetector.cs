using Diffusion.Networks.FaceApi;
using Diffusion.Runtime;

namespace Diffusion.Faces;

/// <summary>
/// face-api's small detector: upright boxes, hair and neck included. <see cref="FaceDetector"/> sees smaller faces.
/// </summary>
/// <remarks>Immutable; may be used by several threads.</remarks>
public sealed class TinyFaceDetector : IDisposable
{
    private const int Stride = 32;

    /// <summary>The published anchors: width and height in cells.</summary>
    public static IReadOnlyList<(double Width, double Height)> PublishedAnchors { get; } =
    [(1.603231, 2.094468), (6.041143, 7.080126), (2.882459, 3.518061), (4.266906, 5.178857), (9.041765, 10.66308)];

    private readonly TinyFaceDetectorNetwork _network;
    private readonly IReadOnlyList<(double Width, double Height)> _anchors;

    /// <summary>A detector; takes over the network.</summary>
    public TinyFaceDetector(TinyFaceDetectorNetwork network, IReadOnlyList<(double Width, double Height)>? anchors = null) =>
        (_network, _anchors) = (network, anchors ?? PublishedAnchors);

    /// <summary>Finds faces.</summary>
    /// <param name="picture">[1,3,H,W] float32 on [0,1]; borrowed.</param>
    /// <param name="size">Side of the network's input, a multiple of 32; larger sees smaller faces.</param>
    /// <param name="threshold">Scores must be larger.</param>
    /// <param name="overlap">Boxes that overlap a better one more are dropped.</param>
    /// <returns>Best first; boxes in pixels, not clipped, without points.</returns>
    public IReadOnlyList<DetectedFace> Detect(Tensor picture, int size = 416, double threshold = 0.5, double overlap = 0.4)
    {
        using ComputeScope scope = new();
        Tensor square = SquareInput.Square(picture, size, centered: false);
        Tensor raw = _network.Forward(SquareInput.Normalize(square, SquareInput.DetectorMean));
        return Read(raw, (int)picture.shape[3], (int)picture.shape[2], size, threshold, overlap);
    }

    /// <summary>Turns the network's numbers into boxes.</summary>
    /// <param name="raw">[1,n,n,25]; borrowed.</param>
    /// <param name="width">Of the picture.</param>
    /// <param name="height">Of the picture.</param>
    /// <param name="size">Side of the input.</param>
    /// <param name="threshold">Scores must be larger.</param>
    /// <param name="overlap">Boxes that overlap a better one more are dropped.</param>
    public IReadOnlyList<DetectedFace> Read(Tensor raw, int width, int height, int size, double threshold, double overlap)
    {
        float[] values = raw.contiguous().data<float>().ToArray();
        int n = size / Stride;
        double longer = Math.Max(width, height),
            inputWidth = Math.Floor(width * size / longer + 0.5),
            inputHeight = Math.Floor(height * size / longer + 0.5);
        double acrossX = Math.Max(inputWidth, inputHeight) / inputWidth * width,
            acrossY = Math.Max(inputWidth, inputHeight) / inputHeight * height;
        List<DetectedFace> found = [];
        for (int i = values.Length / 5 - 1; i >= 0; i--) // Of equal scores the later comes first.
        {
            (int cell, int anchor) = Math.DivRem(i, _anchors.Count);
            ReadOnlySpan<float> t = values.AsSpan(i * 5, 5);
            double score = Sigmoid(t[4]);
            if (score <= threshold)
                continue;
            double x = (cell % n + Sigmoid(t[0])) / n * acrossX,
                y = (cell / n + Sigmoid(t[1])) / n * acrossY,
                w = Math.Exp(t[2]) * _anchors[anchor].Width / n * acrossX,
                h = Math.Exp(t[3]) * _anchors[anchor].Height / n * acrossY;
            found.Add(new DetectedFace(score, x - w / 2, y - h / 2, x + w / 2, y + h / 2, []));
        }
        List<DetectedFace> kept = [];
        foreach (DetectedFace face in found.OrderByDescending(face => face.Score))
            if (kept.TrueForAll(better => better.Overlap(face) <= overlap))
                kept.Add(face);
        return kept;
    }

    /// <inheritdoc/>
    public void Dispose() => _network.Dispose();

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
}
