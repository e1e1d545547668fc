using System.Diagnostics;
using Diffusion.Cli.Shell;
using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Metrics;
using Diffusion.Operators;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Cli.Restoring;

/// <summary>Runs the tasks of the demo: degrade, restore classically and with the prior, measure, draw.</summary>
internal sealed class DemoRun(Session session, Restorer restorer, string folder)
{
    /// <summary>Runs one task.</summary>
    /// <exception cref="DiffusionException">The bundled photograph or the prior is missing.</exception>
    public DemoResult Run(DemoTask task)
    {
        using ComputeScope scope = new();
        OperatorSpec spec = ShippedOperators.Catalog.Parse(task.Operator);
        using Picture clean = Photo(task);
        using DegradedPicture degraded = new Degrader(spec, DemoTask.Noise).Degrade(clean);
        using LinearOperator a = spec.Bind(new ImageShape(clean.Channels, clean.Height, clean.Width));
        Tensor y = degraded.Measurement.Y;

        Stopwatch watch = Stopwatch.StartNew();
        Baseline baseline = Baselines.Classical(a, y, DemoTask.Noise, clean.Pixels);
        double baselineSeconds = watch.Elapsed.TotalSeconds;
        RestoredPicture? restored = null;
        session.Terminal.WithProgress(task.Name, report =>
            restored = restorer.Restore(degraded.Measurement, step => report(step.Fraction), session.Cancellation)
        );
        using RestoredPicture result = restored!;

        Tensor before = torch.nn.functional.interpolate(y, [clean.Height, clean.Width], mode: torch.InterpolationMode.Nearest);
        DemoScore[] scores =
        [
            new("measurement", task.Operator, Score(before, clean)),
            new("baseline", baseline.Name, Score(baseline.X, clean), baselineSeconds),
            new("restored", result.Method, Score(result.Picture.Pixels, clean), result.Seconds),
        ];
        ImageFile.Write(Path.Combine(folder, $"{task.Photo}_restored.png"), result.Picture);
        Sheet.Write(
            Path.Combine(folder, $"{task.Photo}_{task.Name}.png"),
            [
                new(Caption("measurement", scores[0]), y.clamp(0, 1)),
                new(Caption(baseline.Name, scores[1]), baseline.X.clamp(0, 1)),
                new(Caption("restored", scores[2]), result.Picture.Pixels),
                new("original", clean.Pixels),
            ]
        );
        return new DemoResult(task, scores, result.Evaluations);
    }

    /// <summary>The bundled photograph of a task; the caller disposes it.</summary>
    /// <exception cref="DiffusionException">It is missing.</exception>
    public static Picture Photo(DemoTask task) =>
        File.Exists(task.Path)
            ? ImageFile.Read(task.Path)
            : throw new DiffusionException("A bundled photograph is missing", task.Path, "Build or install again");

    /// <summary>What stands over a picture of the sheet.</summary>
    public static string Caption(string title, DemoScore score) => FormattableString.Invariant($"{title}, {score.Metrics.Psnr:0.00} dB");

    private static PictureMetrics Score(Tensor x, Picture clean) => PictureMetrics.Compute(x.clamp(0, 1), clean.Pixels);
}
