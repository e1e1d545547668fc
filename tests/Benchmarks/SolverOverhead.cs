using System.Diagnostics;
using Diffusion.Inverse;
using Diffusion.Operators;
using Diffusion.Priors;
using Diffusion.Runtime;
using Diffusion.Solvers;

namespace Diffusion.Benchmarks;

/// <summary>What a restoration costs beside its network: both are timed inside the same run, so that a noisy machine disturbs them alike.</summary>
internal static class SolverOverhead
{
    private static readonly string[] Specs = ["identity", "downsample:factor=4", "blur:sigma=2", "blur:sigma=2,boundary=circular", "mask:random=0.8", "gray", "bayer", "fourier", "hadamard"];

    /// <summary>Prints, per operator and solver, the network's seconds and the rest as a share of them (smallest of the rounds).</summary>
    public static void Print(IDenoiser prior, int size, int rounds)
    {
        using ComputeScope scope = new();
        using TimedDenoiser timed = new(prior);
        Tensor truth = torch.rand(1, 3, size, size);
        foreach (string spec in Specs)
        {
            using LinearOperator a = ShippedOperators.Catalog.Parse(spec).Bind(new ImageShape(3, size, size));
            Tensor y = a.Apply(truth);
            foreach (string name in (string[])["cm4ir", "dpir", "rdmd"])
            {
                double best = double.PositiveInfinity, network = 0;
                for (int round = 0; round <= rounds; round++)
                {
                    using DisposeScope run = torch.NewDisposeScope();
                    ISolver solver = SolverCatalog.BuiltIn.Create(name, null, PresetRequest.For(a, 0.02, prior.Info, 4));
                    timed.Elapsed = TimeSpan.Zero;
                    long start = Stopwatch.GetTimestamp();
                    solver.Solve(new InverseProblem(y, a, 0.02), timed, new SolverContext { Noise = new PhiloxNoise(0, [default]) });
                    double seconds = timed.Elapsed.TotalSeconds, rest = Stopwatch.GetElapsedTime(start).TotalSeconds / seconds - 1;
                    if (round > 0 && rest < best) (best, network) = (rest, seconds);
                }
                Console.WriteLine(FormattableString.Invariant($"{spec,-32} {name,-6} {size} px: network {network:F3} s, the rest {best:P1} of it"));
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
