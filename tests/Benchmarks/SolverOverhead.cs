using System.Diagnostics;
using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Operators;
using Diffusion.Runtime;
using Diffusion.Solvers;

namespace Diffusion.Benchmarks;

/// <summary>
/// What a restoration costs beside its network: both are timed inside the same run, so that a noisy machine disturbs them alike.
/// </summary>
internal static class SolverOverhead
{
    private static readonly string[] ClosedForms =
    [
        "identity",
        "downsample:factor=4",
        "blur:sigma=2",
        "blur:sigma=2,boundary=circular",
        "mask:random=0.8",
        "gray",
        "bayer",
        "fourier",
        "hadamard",
    ];

    /// <summary>
    /// Prints, per operator and solver, the network's seconds and the rest as a share of them (smallest of the rounds), and the inner
    /// iterations of a data step on average where there are some.
    /// </summary>
    /// <param name="prior">The prior; borrowed.</param>
    /// <param name="size">Side of the picture.</param>
    /// <param name="rounds">Rounds after the first.</param>
    /// <param name="picture">A photograph to restore a central part of; null: noise.</param>
    /// <param name="specs">Operators; null: those with a closed form.</param>
    public static void Print(IDenoiser prior, int size, int rounds, string? picture = null, IReadOnlyList<string>? specs = null)
    {
        using ComputeScope scope = new();
        using TimedDenoiser timed = new(prior);
        Tensor truth = picture is null
            ? torch.rand(1, 3, size, size)
            : PresetComparison.Crop(picture, size) ?? throw new ArgumentException($"{picture} is smaller than {size} pixels.");
        foreach (string spec in specs ?? ClosedForms)
        {
            using LinearOperator a = ShippedOperators.Catalog.Parse(spec).Bind(new ImageShape(3, size, size));
            Tensor y = a.Apply(truth);
            y = a.Restrict(y + 0.02 * torch.randn_like(y));
            foreach (string name in (string[])["cm4ir", "dpir", "rdmd"])
            {
                SolveLog solves = new();
                double best = double.PositiveInfinity,
                    network = 0;
                for (int round = 0; round <= rounds; round++)
                {
                    using DisposeScope run = torch.NewDisposeScope();
                    ISolver solver = SolverCatalog.BuiltIn.Create(name, null, PresetRequest.For(a, 0.02, prior.Info, 4));
                    timed.Elapsed = TimeSpan.Zero;
                    long start = Stopwatch.GetTimestamp();
                    solver.Solve(
                        new InverseProblem(y, a, 0.02),
                        timed,
                        new SolverContext
                        {
                            Noise = new PhiloxNoise(0, [default]),
                            Precision = StepPrecision.Default,
                            Solves = solves,
                        }
                    );
                    double seconds = timed.Elapsed.TotalSeconds,
                        rest = Stopwatch.GetElapsedTime(start).TotalSeconds / seconds - 1;
                    if ((round > 0 || rounds == 0) && rest < best)
                        (best, network) = (rest, seconds);
                }
                Console.WriteLine(
                    string.Create(
                        System.Globalization.CultureInfo.InvariantCulture,
                        $"{spec, -32} {name, -6} {size} px: network {network:F3} s, the rest {best:P1} of "
                            + $"it{(solves.Average is { } iterations ? $", {iterations:F1} iterations a data step" : "")}"
                    )
                );
            }
        }
    }

    private sealed class TimedDenoiser(IDenoiser inner) : IDenoiser
    {
        public TimeSpan Elapsed { get; set; }
        public PriorInfo Info => inner.Info;

        public Tensor Denoise(Tensor x, double sigma, in Condition condition = default)
        {
            long start = Stopwatch.GetTimestamp();
            Tensor x0 = inner.Denoise(x, sigma, condition);
            Elapsed += Stopwatch.GetElapsedTime(start);
            return x0;
        }

        public void Dispose() { }
    }
}
