using System.Globalization;
using Diffusion.Inverse;
using Diffusion.Operators;
using Diffusion.Runtime;

namespace Diffusion.Tests.Operators;

public sealed class PsfTests
{
    [Fact]
    public void Very_different_kernels_are_inverted_in_few_iterations()
    {
        using ComputeScope scope = new();
        string folder = Directory.CreateTempSubdirectory("psf").FullName;
        try
        {
            for (int i = 0; i < 9; i++)
            {
                double sigma = 1 + 0.25 * i;
                IEnumerable<string> rows = Enumerable
                    .Range(-9, 19)
                    .Select(r =>
                        string.Join(
                            ' ',
                            Enumerable
                                .Range(-9, 19)
                                .Select(c => Math.Exp(-(r * r + c * c) / (2 * sigma * sigma)).ToString("R", CultureInfo.InvariantCulture))
                        )
                    );
                File.WriteAllLines(Path.Combine(folder, $"psf_{i / 3}_{i % 3}.txt"), rows);
            }
            using LinearOperator a = new Psf { File = folder }.Bind(new ImageShape(1, 120, 90));
            Tensor truth = new PhiloxNoise(5, [default]).Draw(NoiseRole.Step, 1, 1, 120, 90),
                b = a.Adjoint(a.Apply(truth)) + 1e-3 * truth;
            SolveLog log = new();
            Tensor solved = a.SolveNormal(b, 1e-3, new() { Log = log });
            Assert.True(log.Last is { Iterations: <= 25, Residual: < 1e-4, Converged: true }, $"{log.Last}");
            Assert.True((solved - truth).norm().item<float>() < 1e-2 * truth.norm().item<float>());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
