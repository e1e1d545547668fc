using System.Diagnostics;
using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.Solvers;

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

    /// <summary>Restores with a prior, as <see cref="Restorer"/> does, but with evaluations counted instead of promised.</summary>
    /// <exception cref="NumericalException">NaN or infinity came out.</exception>
    /// <exception cref="ArgumentException">The solver refuses the problem or its settings.</exception>
    public static BenchRestoration Solve(
        BenchCell cell,
        BenchSolver method,
        BoundProblem problem,
        BenchMeasurement measured,
        IDenoiser prior,
        SolverCatalog solvers,
        ComputePolicy policy,
        int repeat,
        CancellationToken cancellation
    )
    {
        RestoreOptions options = new()
        {
            Solver = method.Name,
            Preset = method.Preset,
            Set = method.Set,
            Steps = cell.Steps,
        };
        double sigma = measured.Noise * problem.Scale;
        (_, ISolver solver) = SolverChoice.Create(options, solvers, PresetRequest.For(problem.A, sigma, prior.Info, cell.Steps));
        using IDenoiser? tiled = Tiling.Wrap(prior, options, problem.Solved.Input, 1, policy);
        using CountingDenoiser counted = CountingDenoiser.Around(tiled ?? prior);
        using Tensor y = measured.Measured.Y.to(policy.Device).mul(problem.Scale);
        InverseProblem inverse = new(y, problem.Solved, sigma);
        (Tensor x, double seconds, double peak) = Timed(repeat, () =>
        {
            using DisposeScope scope = torch.NewDisposeScope();
            Tensor solved = solver.Solve(
                inverse,
                counted,
                new SolverContext
                {
                    Noise = new PhiloxNoise(cell.Seed, [ImageKey.FromName(measured.Measured.Name)]),
                    Precision = StepPrecision.Default,
                    Cancellation = cancellation,
                }
            );
            return (problem.IsGray ? GrayMeasurement.Mean(solved) : solved).cpu().MoveToOuterDisposeScope();
        });
        if (x.isfinite().all().item<bool>())
            return new(x, counted.Evaluations / repeat, seconds, peak);
        throw new NumericalException("NaN or infinity came out");
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
