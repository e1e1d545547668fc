using Diffusion.Evaluation;
using Diffusion.Runtime;
using Diffusion.Synthesis;
using Diffusion.Synthesis.Intensities;
using Diffusion.Tests.Synthesis;

namespace Diffusion.Tests.Evaluation;

public sealed class GeneratorComparisonTests
{
    [Theory]
    [InlineData(Fake.Good, "")]
    [InlineData(Fake.Weak, "mu,sigma")]
    [InlineData(Fake.Same, "layouts")]
    [InlineData(Fake.Nothing, "mu,sigma,layouts,change")]
    [InlineData(Fake.Scrambled, "edges")]
    public void Each_fault_of_a_generator_misses_its_own_bars(Fake fault, string missed)
    {
        GeneratorComparison comparison = new(
            [("reference", new FakeGenerator(Fake.Good)), ("other", new FakeGenerator(fault))],
            IntensitySource.Parse("mu=0.05,sigma=0.05"),
            1
        );
        List<GeneratorScore> scores = [];
        for (int i = 0; i < 3; i++)
        {
            using Tensor clean = Picture(i);
            scores.AddRange(comparison.Measure($"{i}", clean, DegradationKind.Snow, 0));
        }
        IReadOnlyList<GeneratorRow> rows = GeneratorTable.Rows(scores);
        Assert.Equal(["reference", "other"], rows.Select(row => row.Generator));
        Assert.Empty(rows[0].Misses);
        Assert.Equal(missed, string.Join(',', rows[1].Misses));
        Assert.Contains("| snow | other | 3 | ", GeneratorTable.Markdown(scores));
        Assert.Equal(7, GeneratorTable.Csv(scores).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public void All_are_asked_for_what_the_reference_reaches()
    {
        FakeGenerator weak = new(Fake.Weak),
            good = new(Fake.Good);
        using Tensor clean = Picture(1);
        IReadOnlyList<GeneratorScore> scores = new GeneratorComparison(
            [("weak", weak), ("good", good)],
            IntensitySource.Parse("mu=0.06,sigma=0.06"),
            1
        ).Measure("a", clean, DegradationKind.Rain, 0);
        Assert.Equal(scores[0].Asked, scores[1].Asked);
        Assert.False(scores[0].IsReachable);
        Assert.InRange(scores[1].Asked.Mu, 0.02, 0.045);
        Assert.InRange(scores[1].MuMissed, 0, 0.1);
    }

    /// <summary>Neither black nor white: what is added to it is not clipped.</summary>
    private static Tensor Picture(int seed)
    {
        using Tensor scene = TestScene.Draw(64, 64, seed);
        return scene * 0.6 + 0.2;
    }

    public enum Fake
    {
        Good,
        Weak,
        Same,
        Nothing,
        Scrambled,
    }

    /// <summary>Adds blocks of light here and there, of the asked mu; sigma comes near enough to it.</summary>
    private sealed class FakeGenerator(Fake fault) : IDegradationGenerator
    {
        public string Name => fault.ToString();

        public IReadOnlyList<DegradationKind> Kinds { get; } = Enum.GetValues<DegradationKind>();

        public Synthesized Generate(Tensor clean, in DegradationRequest request, CancellationToken cancellation = default)
        {
            using ComputeScope scope = new();
            string key = fault == Fake.Same ? request.Key.Replace("/again", "", StringComparison.Ordinal) : request.Key;
            Tensor blocks = new PhiloxNoise(request.Seed, [ImageKey.FromName(key)])
                .Draw(NoiseRole.Start, 1, 1, clean.shape[2] / 8, clean.shape[3] / 8)
                .gt(0)
                .to(ScalarType.Float32);
            Tensor where = torch.nn.functional.interpolate(blocks, scale_factor: [8, 8], mode: torch.InterpolationMode.Nearest);
            Tensor sign = torch.ones_like(clean);
            if (fault == Fake.Scrambled)
                sign = new PhiloxNoise(5, [ImageKey.FromName(key)]).Draw(NoiseRole.Start, clean.shape).sign();
            double amplitude = fault switch
            {
                Fake.Weak => 0.6 * request.Intensity.Mu,
                Fake.Nothing => 0,
                _ => request.Intensity.Mu,
            };
            Tensor degraded = clean + where * sign * amplitude / where.mean();
            return new(scope.Return(degraded), Intensity.Between(degraded, clean), null);
        }

        public void Dispose() { }
    }
}
