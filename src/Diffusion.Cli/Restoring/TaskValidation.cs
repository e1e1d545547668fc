using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Metrics;
using Diffusion.Operators;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Cli.Restoring;

/// <summary>How well a prior restores photographs in the tasks of the demo: means over the photographs.</summary>
/// <param name="Task">The task.</param>
/// <param name="Baseline">The classical method's name.</param>
/// <param name="BaselinePsnr">Its PSNR, dB.</param>
/// <param name="Psnr">PSNR with the prior, dB.</param>
internal sealed record TaskValidation(DemoTask Task, string Baseline, double BaselinePsnr, double Psnr)
{
    /// <summary>Restores every photograph in every task, each cropped to a size that the tasks can take.</summary>
    /// <param name="restorer">The prior and its solver; operator and noise come with each measurement.</param>
    /// <param name="files">Photographs.</param>
    /// <param name="seed">Seed of the noise.</param>
    /// <param name="progress">Told the finished part, 0..1.</param>
    /// <param name="cancellation">Ends it between two steps.</param>
    public static IReadOnlyList<TaskValidation> Measure(
        Restorer restorer,
        IReadOnlyList<string> files,
        ulong seed,
        Action<double> progress,
        CancellationToken cancellation
    )
    {
        List<TaskValidation> rows = [];
        foreach (DemoTask task in DemoTask.All)
        {
            OperatorSpec spec = ShippedOperators.Catalog.Parse(task.Operator);
            string name = "";
            double baselines = 0,
                restorations = 0;
            for (int i = 0; i < files.Count; i++)
            {
                using ComputeScope scope = new();
                using Picture clean = Cropped(files[i]);
                using DegradedPicture degraded = new Degrader(spec, DemoTask.Noise, seed).Degrade(clean);
                using LinearOperator a = spec.Bind(new ImageShape(clean.Channels, clean.Height, clean.Width));
                Baseline baseline = Baselines.Classical(a, degraded.Measurement.Y, DemoTask.Noise, clean.Pixels);
                using RestoredPicture restored = restorer.Restore(degraded.Measurement, null, cancellation);
                name = baseline.Name;
                baselines += Score(baseline.X, clean);
                restorations += Score(restored.Picture.Pixels, clean);
                progress((rows.Count + (double)(i + 1) / files.Count) / DemoTask.All.Count);
            }
            rows.Add(new TaskValidation(task, name, baselines / files.Count, restorations / files.Count));
        }
        return rows;
    }

    private static double Score(Tensor x, Picture clean) => Metrics.Psnr.Compute(x.clamp(0, 1), clean.Pixels);

    // Super-resolution by 4 wants whole blocks.
    private static Picture Cropped(string file)
    {
        using Picture picture = ImageFile.Read(file);
        (int height, int width) = (picture.Height / 4 * 4, picture.Width / 4 * 4);
        return new Picture(picture.Pixels.narrow(2, 0, height).narrow(3, 0, width).expand(1, 3, height, width).clone())
        {
            Name = Path.GetFileNameWithoutExtension(file),
        };
    }
}
