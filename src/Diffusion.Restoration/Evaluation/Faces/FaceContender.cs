using Diffusion.Imaging;
using Diffusion.Pipeline;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.Training;

namespace Diffusion.Evaluation;

/// <summary>What restores degraded faces in a comparison.</summary>
/// <param name="Name">Its name in tables.</param>
/// <param name="Restore">[1,3,S,S] on [0,1] of a degraded face; the caller owns it.</param>
public sealed record FaceContender(string Name, Func<DegradedFace, Tensor> Restore)
{
    /// <summary>What a restorer is given.</summary>
    public const string Degraded = "degraded";

    /// <summary>The picture before it was enlarged, enlarged by cubic convolution.</summary>
    public const string Bicubic = "bicubic";

    /// <summary>Both of them.</summary>
    public static IReadOnlyList<FaceContender> Baselines { get; } =
    [
        new(Degraded, face => face.Picture.clone()),
        new(Bicubic, face => Resize.ToSize(face.Small, (int)face.Picture.shape[2], (int)face.Picture.shape[3], antialias: false)),
    ];

    /// <summary>A method that restores pictures.</summary>
    /// <param name="name">Its name in tables.</param>
    /// <param name="runner">Borrowed; must outlive the result.</param>
    public static FaceContender By(string name, RestorationRunner runner) => new(name, face =>
        {
            using Measurement measurement = new(face.Picture.clone(), "face");
            RestoredPicture restored = runner.Restore([measurement])[0];
            using (restored)
                return restored.Picture.Pixels.clone();
        });
}

/// <summary>How near a restored face is to the original.</summary>
/// <param name="Face">Name of the picture.</param>
/// <param name="Seed">Seed of the degradation.</param>
/// <param name="Contender">What restored it.</param>
/// <param name="Psnr">dB.</param>
/// <param name="Gmsd">Gradient magnitude similarity deviation.</param>
/// <param name="Identity">Distance of the descriptors.</param>
/// <param name="Landmarks">Mean distance of MediaPipe's 468 landmarks, in eye distances.</param>
/// <param name="Niqe">Of the result alone.</param>
/// <param name="HighBand">Energy above a quarter of a cycle a pixel, relative to the original's.</param>
/// <param name="Seconds">Time it took.</param>
public sealed record FaceScore(
    string Face,
    ulong Seed,
    string Contender,
    double Psnr,
    double Gmsd,
    double Identity,
    double Landmarks,
    double Niqe,
    double HighBand,
    double Seconds
);
