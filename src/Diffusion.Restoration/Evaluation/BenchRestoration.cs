using System.Diagnostics;
using Diffusion.Pipeline;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.ZeroShot;

namespace Diffusion.Evaluation;

/// <summary>A restoration and what it cost.</summary>
/// <param name="X">[1,C,H,W] on [0,1], on the CPU; the caller owns it.</param>
/// <param name="Evaluations">Network evaluations.</param>
/// <param name="Seconds">Median over the runs.</param>
/// <param name="PeakMegabytes">Most memory that the process held.</param>
internal sealed record BenchRestoration(Tensor X, int Evaluations, double Seconds, double PeakMegabytes)
{
    /// <summary>Restores without a prior.</summary>
    public static BenchRestoration Classical(Func<Tensor> restore, int repeat)
    {
        (Tensor x, double seconds, double peak) = Timed(repeat, restore);
        return new(x, 0, seconds, peak);
    }

    /// <summary>Restores as everybody does.</summary>
    /// <param name="method">Prior, operator, solver; borrowed.</param>
    /// <param name="measured">The measurement; borrowed.</param>
    /// <param name="repeat">Number of runs.</param>
    /// <param name="cancellation">Checked before each network evaluation.</param>
    /// <exception cref="NumericalException">NaN or infinity came out.</exception>
    /// <exception cref="ArgumentException">The solver refuses the problem or its settings.</exception>
    public static BenchRestoration Solve(ZeroShotMethod method, Measurement measured, int repeat, CancellationToken cancellation)
    {
        RestorationRunner runner = new(method, method.Options);
        int evaluations = 0;
        (Tensor x, double seconds, double peak) = Timed(repeat, () =>
        {
            using RestoredPicture restored = runner.Restore([measured], null, cancellation)[0];
            evaluations = restored.Evaluations;
            return restored.Picture.Pixels.clone();
        });
        return new(x, evaluations, seconds, peak);
    }

    private static (Tensor X, double Seconds, double Peak) Timed(int repeat, Func<Tensor> restore)
    {
        PeakMemory.Restart();
        double[] seconds = new double[repeat];
        Tensor? x = null;
        for (int run = 0; run < repeat; run++)
        {
            x?.Dispose();
            Stopwatch watch = Stopwatch.StartNew();
            x = restore();
            seconds[run] = watch.Elapsed.TotalSeconds;
        }
        Array.Sort(seconds);
        return (x!, (seconds[(repeat - 1) / 2] + seconds[repeat / 2]) / 2, PeakMemory.Megabytes());
    }
}
