using System.Diagnostics;
using Diffusion.Faces;
using Diffusion.Imaging;
using Diffusion.Metrics;
using Diffusion.Runtime;
using Diffusion.Training;

namespace Diffusion.Evaluation;

/// <summary>
/// Compares restorers of aligned faces: clean faces are degraded with fixed seeds, restored, and measured against the original.
/// </summary>
/// <remarks>
/// Landmarks are read in one square for the original and all results. The descriptor may have been part of a restorer's training; the
/// landmarks were not.
/// </remarks>
public sealed class FaceComparison : IDisposable
{
    // Where the face's square lies in an aligned crop, in parts of its side; the landmarks themselves then say better.
    private const double CenterX = 0.5,
        CenterY = 0.57,
        Extent = 0.95;

    private readonly FaceDegradation _degradation;
    private readonly IdentityDistance _identity = IdentityDistance.Shipped();
    private readonly FaceLandmarker _landmarker = FaceLandmarker.Shipped();

    /// <summary>A comparison.</summary>
    /// <param name="degradation">With lengths for the size of the faces.</param>
    /// <exception cref="CheckpointException">The face networks are not installed.</exception>
    public FaceComparison(FaceDegradation degradation) => _degradation = degradation;

    /// <summary>Measures one face.</summary>
    /// <param name="name">Name of the picture.</param>
    /// <param name="clean">[1,3,S,S] on [0,1], aligned, borrowed.</param>
    /// <param name="number">Number of the face: with the seed, decides the degradation.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="contenders">What restores.</param>
    /// <param name="seen">Told each result; the tensor is borrowed for the time of the call.</param>
    public IReadOnlyList<FaceScore> Measure(
        string name,
        Tensor clean,
        int number,
        ulong seed,
        IReadOnlyList<FaceContender> contenders,
        Action<FaceScore, Tensor>? seen = null
    )
    {
        using ComputeScope scope = new();
        using DegradedFace degraded = _degradation.Apply(clean, seed, number);
        FaceSquare square = Square(clean);
        FaceLandmarks expected = _landmarker.Find(clean, [square])[0];
        IReadOnlyList<float> descriptor = _identity.Describe(clean);
        List<FaceScore> scores = [];
        foreach (FaceContender contender in contenders)
        {
            long started = Stopwatch.GetTimestamp();
            using Tensor result = contender.Restore(degraded);
            double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            using Tensor restored = Fitting(result, clean).clamp(0, 1);
            FaceScore score = new(
                name,
                seed,
                contender.Name,
                Psnr.Compute(restored, clean),
                Gmsd.Compute(restored, clean),
                FaceDescriptor.Distance(_identity.Describe(restored), descriptor),
                _landmarker.Find(restored, [square])[0].DistanceTo(expected),
                Niqe.Fits(clean.shape[2], clean.shape[3]) ? Niqe.Compute(restored) : double.NaN,
                HighBandEnergy.Ratio(restored, clean),
                seconds
            );
            scores.Add(score);
            seen?.Invoke(score, restored);
        }
        return scores;
    }

    private static Tensor Fitting(Tensor result, Tensor clean) =>
        result.shape.SequenceEqual(clean.shape) ? result.alias() : Resize.ToSize(result, (int)clean.shape[2], (int)clean.shape[3]);

    private FaceSquare Square(Tensor clean)
    {
        long side = clean.shape[3];
        FaceSquare first = new(CenterX * side, CenterY * side, Extent * side, 0);
        return FaceSquare.Around(_landmarker.Find(clean, [first])[0].Points);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _identity.Dispose();
        _landmarker.Dispose();
    }
}
