using Diffusion.Imaging;
using Diffusion.Networks;
using Diffusion.Networks.MediaPipeFace;
using Diffusion.Runtime;

namespace Diffusion.Faces;

/// <summary>
/// One of MediaPipe's face detectors, as published: a square of the picture, one evaluation, weighted suppression.
/// </summary>
/// <remarks>
/// Sees faces of more than about 5 % (full range) or 13 % (short range) of the longer side; windows of the picture show it the
/// smaller ones.
/// Immutable; may be used by several threads.
/// </remarks>
public sealed class FaceDetector : IDisposable
{
    private const int Points = 6;

    private readonly GraphNetwork _network;

    /// <summary>A detector.</summary>
    /// <param name="network">Taken over.</param>
    /// <param name="settings">Its anchors.</param>
    public FaceDetector(GraphNetwork network, FaceDetectorSettings settings) => (_network, Settings) = (network, settings);

    /// <summary>The full-range detector that ships.</summary>
    public static FaceDetector FullRange() =>
        new(GraphNetwork.Load(FaceModels.Folder, "face_detection_full_range"), FaceDetectorSettings.FullRange);

    /// <summary>The short-range detector that ships.</summary>
    public static FaceDetector ShortRange() =>
        new(GraphNetwork.Load(FaceModels.Folder, "face_detection_short_range"), FaceDetectorSettings.ShortRange);

    /// <summary>Its anchors and thresholds.</summary>
    public FaceDetectorSettings Settings { get; }

    /// <summary>Finds faces in a picture as a whole.</summary>
    /// <param name="picture">[1,3,H,W] float32 on [0,1]; borrowed.</param>
    /// <param name="threshold">Least score; MediaPipe publishes 0.6 (full range) and 0.5 (short range).</param>
    /// <returns>Best first, in pixels (the centre of pixel k lies at k + 0.5), not clipped to the picture.</returns>
    public IReadOnlyList<DetectedFace> Detect(Tensor picture, double threshold = 0.5)
    {
        using ComputeScope scope = new();
        Affine view = View(picture);
        Tensor input = Input(picture, view);
        return [.. Suppress(Candidates(Evaluate(input), input, threshold)[0]).Select(face => face.Through(view))];
    }

    /// <summary>The map from the input to the picture: a square around the whole picture [1,3,H,W].</summary>
    public Affine View(Tensor picture)
    {
        (long height, long width) = (picture.shape[^2], picture.shape[^1]);
        double side = Math.Max(height, width);
        return Affine.Similarity(side / Settings.InputSize, 0, (width - side) / 2, (height - side) / 2);
    }

    /// <summary>
    /// A square of a picture as the network's input, [1,3,S,S] on [-1,1], black beyond the picture. The caller owns it.
    /// </summary>
    public Tensor Input(Tensor picture, Affine view)
    {
        using ComputeScope scope = new();
        return scope.Return(Warp.Bilinear(picture, view, Settings.InputSize, Settings.InputSize, WarpEdge.Cut) * 2 - 1);
    }

    /// <summary>The network's boxes [N,anchors,16] and scores [N,anchors,1] for a batch of inputs; the caller owns them.</summary>
    public Tensor[] Evaluate(Tensor inputs, ModuleTrace? trace = null) => _network.Forward(inputs, trace);

    /// <summary>
    /// The detections of each input before suppression, in the order of the anchors, in pixels of the input. Boxes of negative
    /// size are dropped.
    /// </summary>
    /// <param name="raw">Boxes [N,anchors,16] and scores [N,anchors,1]; borrowed.</param>
    /// <param name="input">What the network saw, [N,3,H,W]: any multiples of 64; borrowed.</param>
    /// <param name="threshold">Least score.</param>
    public IReadOnlyList<DetectedFace>[] Candidates(Tensor[] raw, Tensor input, double threshold)
    {
        using ComputeScope scope = new();
        float[] boxes = raw[0].contiguous().data<float>().ToArray(),
            scores = raw[1].contiguous().data<float>().ToArray();
        (double X, double Y)[] anchors = [.. Anchors((int)input.shape[2], (int)input.shape[3])];
        IReadOnlyList<DetectedFace>[] found = new IReadOnlyList<DetectedFace>[raw[0].shape[0]];
        for (int n = 0; n < found.Length; n++)
        {
            List<DetectedFace> list = [];
            for (int k = 0; k < anchors.Length; k++)
            {
                int row = n * anchors.Length + k;
                double score = 1 / (1 + Math.Exp(-Math.Clamp(scores[row], -Settings.ScoreClip, Settings.ScoreClip)));
                if (score >= threshold && Decode(score, anchors[k], boxes.AsSpan(row * (4 + 2 * Points))) is { } face)
                    list.Add(face);
            }
            found[n] = list;
        }
        return found;
    }

    /// <summary>Joins detections that are one face.</summary>
    public IReadOnlyList<DetectedFace> Suppress(IEnumerable<DetectedFace> candidates) =>
        WeightedSuppression.Apply(candidates, Settings.OverlapThreshold);

    /// <summary>Centres of the anchors of an input, in its pixels.</summary>
    public IEnumerable<(double X, double Y)> Anchors(int height, int width)
    {
        for (int grid = 0; grid < Settings.Strides.Count; grid++)
        {
            int stride = Settings.Strides[grid];
            for (int row = 0; row < height / stride; row++)
            for (int column = 0; column < width / stride; column++)
            for (int k = 0; k < Settings.AnchorsPerCell[grid]; k++)
                yield return ((column + 0.5) * stride, (row + 0.5) * stride);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _network.Dispose();

    private static DetectedFace? Decode(double score, (double X, double Y) anchor, ReadOnlySpan<float> values)
    {
        double x = values[0] + anchor.X,
            y = values[1] + anchor.Y,
            width = values[2],
            height = values[3];
        if (!(width >= 0 && height >= 0))
            return null;
        (double X, double Y)[] points = new (double, double)[Points];
        for (int k = 0; k < Points; k++)
            points[k] = (values[4 + 2 * k] + anchor.X, values[5 + 2 * k] + anchor.Y);
        return new DetectedFace(score, x - width / 2, y - height / 2, x + width / 2, y + height / 2, points);
    }
}
