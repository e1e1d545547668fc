using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Numerics;
using Diffusion.Operators;
using Diffusion.Runtime;
using Diffusion.Solvers;

namespace Diffusion.Tests.Solvers;

public sealed class TurnsTests
{
    public static TheoryData<string> Turning => ["cm4ir", "rdmd", "dpir"];

    [Theory, MemberData(nameof(Turning))]
    public void Only_a_prior_without_an_upright_sees_turned_pictures(string solver)
    {
        Assert.Equal(["12x20", "20x12"], Restore(solver, anyOrientation: true).Sizes);
        Assert.Equal(["12x20"], Restore(solver, anyOrientation: false).Sizes);
    }

    [Theory, MemberData(nameof(Turning))]
    public void With_a_prior_that_does_not_mind_the_result_is_the_same(string solver)
    {
        Tensor turned = Restore(solver, anyOrientation: true).X,
            upright = Restore(solver, anyOrientation: false).X;
        Assert.True((turned - upright).abs().max().item<float>() < 1e-5);
    }

    private static (Tensor X, string[] Sizes) Restore(string name, bool anyOrientation)
    {
        Shrinking prior = new(anyOrientation);
        using LinearOperator a = ShippedOperators.Catalog.Parse("blur:sigma=1").Bind(new ImageShape(3, 12, 20));
        Tensor y = a.Apply(new PhiloxNoise(1, [new ImageKey(0)]).Draw(NoiseRole.Measurement, [1, 3, 12, 20]).mul(0.1).add(0.5));
        ISolver solver = SolverCatalog.BuiltIn.Create(name, "few-step", PresetRequest.For(a, 0.02, prior.Info, 16));
        Tensor x = solver.Solve(new InverseProblem(y, a, 0.02), prior, new SolverContext { Noise = new PhiloxNoise(0, [new ImageKey(0)]) });
        return (x, [.. prior.Sizes.Distinct().Order()]);
    }

    /// <summary>A denoiser that treats every pixel alike, and remembers what it saw.</summary>
    private sealed class Shrinking(bool anyOrientation) : IDenoiser
    {
        public List<string> Sizes { get; } = [];
        public PriorInfo Info { get; } =
            new()
            {
                Name = "shrinking",
                Kind = PriorKind.PosteriorMean,
                AnyOrientation = anyOrientation,
            };

        public Tensor Denoise(Tensor x, double sigma, in Condition condition = default)
        {
            Sizes.Add($"{x.shape[2]}x{x.shape[3]}");
            return x / (1 + sigma * sigma);
        }

        public void Dispose() { }
    }
}
