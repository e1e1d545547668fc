using Diffusion.Runtime;

namespace Diffusion.Training;

/// <summary>Pairs of degraded and clean faces, every one determined by seed, step and index alone.</summary>
/// <remarks>
/// Faces are mirrored in half of the cases, few are made gray, as old photographs are, and some are degraded little, so that the network
/// learns to leave good faces alone. In photographs small faces come to their size through two enlargements, once by whoever enlarged the
/// photograph and once when they are aligned; some of the pairs do so, too.
/// </remarks>
public sealed class FaceSource
{
    private const double GrayShare = 0.05,
        GentleShare = 0.15,
        PhotographShare = 0.35;
    private readonly Tensor[] _faces;
    private readonly ulong _seed;

    /// <summary>Faces of one size.</summary>
    /// <param name="photos">Aligned faces, square.</param>
    /// <param name="side">The size that all are brought to.</param>
    /// <param name="seed">Seed of everything.</param>
    /// <exception cref="ArgumentException">No faces, or one is not square.</exception>
    public FaceSource(IReadOnlyList<TrainingPhoto> photos, int side, ulong seed)
    {
        if (photos.Count == 0)
            throw new ArgumentException("There are no faces to train on. Name a folder with aligned faces.");
        (_seed, Side) = (seed, side);
        _faces = [.. photos.Select(photo => Bytes(photo, side))];
    }

    /// <summary>Side of the faces.</summary>
    public int Side { get; }

    /// <summary>How faces are degraded: lengths for faces of 512 pixels.</summary>
    public FaceDegradation Degradation { get; init; } = new();

    /// <summary>Lengths are multiplied by a number between the scale of the faces' size and this.</summary>
    public double LargestScale { get; init; } = 0.75;

    /// <summary>One pair.</summary>
    /// <param name="step">The training step.</param>
    /// <param name="index">Number of the face within the step.</param>
    /// <returns>Degraded and clean, [1,3,side,side] float32 on [-1,1] each; the caller owns them.</returns>
    public (Tensor Degraded, Tensor Clean) Draw(long step, int index)
    {
        using ComputeScope scope = new();
        Draws draws = new(_seed ^ 0xFA5E, step, index);
        Tensor clean = _faces[draws.Below(_faces.Length)].to(ScalarType.Float32) / 255;
        if (draws.Uniform() < 0.5)
            clean = clean.flip(3);
        if (draws.Uniform() < GrayShare)
            clean = clean.mean([1], keepdim: true).expand(1, 3, -1, -1);
        double least = (double)Side / FaceDegradation.PublishedSide,
            scale = draws.Uniform(least, Math.Max(least, LargestScale));
        FaceDegradation degradation = draws.Uniform() < GentleShare ? Degradation.Gentler(draws.Uniform()) : Degradation;
        using DegradedFace degraded = degradation.Scaled(scale).Apply(clean, _seed, step, index);
        Tensor given = draws.Uniform() < PhotographShare ? AsInPhotographs(degraded.Small, ref draws) : degraded.Picture;
        return (scope.Return(given * 2 - 1), scope.Return((clean * 2 - 1).contiguous()));
    }

    /// <summary>[1,3,side,side] of a picture on [0,1]; the caller owns it.</summary>
    /// <exception cref="ArgumentException">It is not square.</exception>
    public static Tensor Face(TrainingPhoto photo, int side)
    {
        using Tensor bytes = Bytes(photo, side);
        return bytes.to(ScalarType.Float32).div_(255);
    }

    private Tensor AsInPhotographs(Tensor small, ref Draws draws)
    {
        long between = (long)Math.Round(draws.Uniform(Math.Min(small.shape[3], Side), Side));
        torch.InterpolationMode first = draws.Uniform() < 0.5 ? torch.InterpolationMode.Bilinear : torch.InterpolationMode.Bicubic;
        Tensor photograph = Sized(small, between, first);
        return Sized(photograph, Side, torch.InterpolationMode.Bicubic);

        static Tensor Sized(Tensor x, long side, torch.InterpolationMode mode) =>
            (torch.nn.functional.interpolate(x, size: [side, side], mode: mode, align_corners: false, antialias: x.shape[3] > side) * 255)
                .round()
                .clamp(0, 255) / 255;
    }

    private static Tensor Bytes(TrainingPhoto photo, int side)
    {
        if (photo.Width != photo.Height)
            throw new ArgumentException(
                $"{photo.Name} has {photo.Width}x{photo.Height} pixels. Faces to train on must be aligned and square."
            );
        using ComputeScope scope = new();
        Tensor pixels = torch.tensor(photo.Pixels, [1, photo.Height, photo.Width, 3], dtype: ScalarType.Byte).permute(0, 3, 1, 2);
        if (photo.Width != side)
            pixels = torch
                .nn.functional.interpolate(
                    pixels.to(ScalarType.Float32),
                    size: [side, side],
                    mode: torch.InterpolationMode.Bilinear,
                    align_corners: false,
                    antialias: true
                )
                .round()
                .clamp(0, 255)
                .to(ScalarType.Byte);
        return scope.Return(pixels.contiguous());
    }
}
