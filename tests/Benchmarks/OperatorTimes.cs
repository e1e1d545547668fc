using System.Diagnostics;
using System.Globalization;
using Diffusion.Inverse;
using Diffusion.Operators;
using Diffusion.Runtime;

namespace Diffusion.Benchmarks;

/// <summary>What every shipped operator costs at one size: forward, adjoint, damped pseudo-inverse, and (A^T A + rho I)^-1.</summary>
internal static class OperatorTimes
{
    private static readonly string[] Specs =
    [
        "identity",
        "gray",
        "bayer",
        "crop:box=500x400+11+7",
        "pad:left=8,right=3,top=5,bottom=9",
        "blur:sigma=2",
        "blur:sigma=2,boundary=circular",
        "blur:sigma=2,boundary=reflect",
        "blur:sigma=2,boundary=zero",
        "blur:sigma=2,boundary=valid",
        "blur:kernel=motion,length=21,angle=30",
        "blur:kernel=motion,seed=3",
        "blur:kernel=disk",
        "downsample:factor=4",
        "downsample:factor=4,boundary=circular",
        "downsample:factor=4,kernel=box",
        "downsample:factor=4,kernel=decimate",
        "downsample:factor=4,kernel=lanczos,boundary=reflect",
        "blur:sigma=2|downsample:factor=4,kernel=decimate",
        "mask:random=0.8",
        "mask:random=0.8|blur:sigma=2",
        "blur:sigma=2|mask:random=0.5",
        "fourier",
        "hadamard",
        "radon:angles=60",
        "psf:file={psf}",
    ];

    /// <summary>
    /// Prints one line per operator: milliseconds (smallest of the rounds) and, where the proximal solve is iterated, its iterations and
    /// residual.
    /// </summary>
    /// <param name="size">Side of the picture.</param>
    /// <param name="rounds">Measurements after the first.</param>
    /// <param name="specs">Other operators than the list; null for it.</param>
    public static void Print(int size, int rounds, string[]? specs)
    {
        using ComputeScope scope = new();
        using PointSpreadFolder psf = new();
        Tensor truth = torch.rand(1, 3, size, size);
        Console.WriteLine($"{"", -52} {"forward", 9} {"adjoint", 9} {"pinv", 9} {"proximal", 9}  ms at {size} px, 3 channels");
        foreach (string spec in specs ?? Specs)
        {
            using DisposeScope one = torch.NewDisposeScope();
            using LinearOperator a = ShippedOperators
                .Catalog.Parse(spec.Replace("{psf}", psf.Path, StringComparison.Ordinal))
                .Bind(new ImageShape(3, size, size));
            Tensor y = a.Apply(truth);
            SolveRequest request = new() { Log = new SolveLog() };
            double forward = Time(() => a.Apply(truth)),
                adjoint = Time(() => a.Adjoint(y)),
                inverse = Time(() => a.PseudoInverse(y, 1e-3)),
                proximal = Time(() => a.SolveNormal(truth, 1e-3, request));
            string iterated = request.Log.Last is { } last
                ? FormattableString.Invariant($"  {last.Iterations} iterations to {last.Residual:0.0e+0}")
                : "";
            Console.WriteLine(
                FormattableString.Invariant($"{spec, -52} {forward, 9:F1} {adjoint, 9:F1} {inverse, 9:F1} {proximal, 9:F1}{iterated}")
            );
        }

        double Time(Func<Tensor> compute)
        {
            double best = double.PositiveInfinity;
            for (int round = 0; round <= rounds; round++)
            {
                long start = Stopwatch.GetTimestamp();
                using Tensor result = compute();
                if (round > 0)
                    best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
            return best;
        }
    }

    /// <summary>Gaussians on a grid of three by three, blurrier towards the lower right, in a folder for as long as it lives.</summary>
    private sealed class PointSpreadFolder : IDisposable
    {
        private const int Grid = 3,
            Wing = 12;

        public PointSpreadFolder()
        {
            for (int i = 0; i < Grid * Grid; i++)
            {
                double sigma = 1 + 0.25 * i;
                IEnumerable<string> rows = Enumerable
                    .Range(-Wing, 2 * Wing + 1)
                    .Select(r =>
                        string.Join(
                            ' ',
                            Enumerable
                                .Range(-Wing, 2 * Wing + 1)
                                .Select(c => Math.Exp(-(r * r + c * c) / (2 * sigma * sigma)).ToString("R", CultureInfo.InvariantCulture))
                        )
                    );
                File.WriteAllLines(System.IO.Path.Combine(Path, $"psf_{i / Grid}_{i % Grid}.txt"), rows);
            }
        }

        public string Path { get; } = Directory.CreateTempSubdirectory("psf").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
