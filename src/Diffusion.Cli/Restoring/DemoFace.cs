using Diffusion.Cli.Shell;
using Diffusion.Faces;
using Diffusion.Imaging;
using Diffusion.Metrics;
using Diffusion.Pipeline;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.Training;

namespace Diffusion.Cli.Restoring;

/// <summary>The demo's face: a bundled portrait is blurred, halved, made noisy and compressed, and its face restored in place.</summary>
internal static class DemoFace
{
    /// <summary>The task.</summary>
    public static DemoTask Task { get; } = new("face", "portrait", "blur, half the size, noise, JPEG");

    private static readonly FaceDegradation Degradation = new()
    {
        Blur = (1, 1),
        Reduction = (2, 2),
        Noise = (DemoTask.Noise, DemoTask.Noise),
        Quality = (70, 70),
    };

    // A head is higher than the box from brows to chin.
    private const double HeadToFace = 1.8;
    private const int ShownSide = 320;

    /// <summary>Runs it. Scores are those of the box in which the face was found; the rest of the picture does not change.</summary>
    /// <exception cref="DiffusionException">The bundled photograph or the model is missing.</exception>
    public static DemoResult Run(Session session, RunOptions options, string folder)
    {
        using ComputeScope scope = new();
        using Picture clean = DemoRun.Photo(Task);
        using DegradedFace degraded = Degradation.Apply(clean.Pixels, seed: 0, number: 0);
        using FaceRestorer restorer = new(new RestorationRunner(new FaceSmall(), options), new FaceRestorerOptions());
        RestoredPhoto? photo = null;
        session.Terminal.WithProgress(Task.Name, report =>
            photo = restorer.Restore(new Picture(degraded.Picture.clone()) { Name = Task.Photo }, clean, report, session.Cancellation)
        );
        using RestoredPhoto restored = photo!;
        RestoredFace face = restored.Faces[0];
        DetectedFace box = face.Found!.Detection;
        PictureMetrics Score(Tensor x) => PictureMetrics.Compute(Cut(x.clamp(0, 1), box, 1), Cut(clean.Pixels, box, 1));
        Tensor Shown(Tensor x) => Resize.ToSize(Cut(x, box, HeadToFace), ShownSide, ShownSide).clamp(0, 1);
        Tensor enlarged = Resize.ToSize(degraded.Small, clean.Height, clean.Width),
            before = torch.nn.functional.interpolate(degraded.Small, [clean.Height, clean.Width], mode: torch.InterpolationMode.Nearest);
        DemoScore[] scores =
        [
            new("measurement", Task.Operator, Score(before)),
            new("baseline", "bicubic", Score(enlarged)),
            new("restored", face.Method, Score(restored.Picture.Pixels), face.Seconds),
        ];
        ImageFile.Write(Path.Combine(folder, $"{Task.Photo}_{Task.Name}_restored.png"), restored.Picture);
        Sheet.Write(
            Path.Combine(folder, $"{Task.Photo}_{Task.Name}.png"),
            [
                new(DemoRun.Caption("measurement", scores[0]), Shown(before)),
                new(DemoRun.Caption("bicubic", scores[1]), Shown(enlarged)),
                new(DemoRun.Caption("restored", scores[2]), Shown(restored.Picture.Pixels)),
                new("original", Shown(clean.Pixels)),
            ]
        );
        return new DemoResult(Task, scores, 1);
    }

    // The square about a face's box, this many times as large.
    private static Tensor Cut(Tensor x, DetectedFace box, double times)
    {
        long side = Math.Min((long)(times * Math.Max(box.Width, box.Height)), Math.Min(x.shape[2], x.shape[3]));
        long From(double center, long size) => Math.Clamp((long)(center - side / 2.0), 0, size - side);
        return x.narrow(2, From(box.Center.Y, x.shape[2]), side).narrow(3, From(box.Center.X, x.shape[3]), side);
    }
}
