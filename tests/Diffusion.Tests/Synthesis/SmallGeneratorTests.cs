using Diffusion.Checkpoints;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Synthesis;
using Diffusion.Synthesis.DataSets;
using Diffusion.Synthesis.Rendering;
using Diffusion.Synthesis.Small;

namespace Diffusion.Tests.Synthesis;

public sealed class SmallGeneratorTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("small").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Samples_of_any_size_are_functions_of_seed_and_key()
    {
        using ComputeScope scope = new();
        using SmallGenerator generator = new(Network());
        Tensor clean = Picture(37, 51);
        DegradationRequest request = new(DegradationKind.Snow, new(0.1, 0.12), 3, "a");
        using Synthesized one = generator.Generate(clean, request),
            same = generator.Generate(clean, request),
            other = generator.Generate(clean, request with { Key = "b" });
        Assert.Equal(clean.shape, one.Degraded.shape);
        Assert.True(one.Degraded.equal(same.Degraded).all().item<bool>());
        Assert.True((one.Degraded - other.Degraded).abs().mean().item<float>() > 0.01);
        Assert.InRange(one.Degraded.min().item<float>(), 0, 1);
        Assert.InRange(one.Degraded.max().item<float>(), 0, 1);
    }

    [Fact]
    public void Tiles_and_guidance_change_what_is_computed_and_are_named()
    {
        using ComputeScope scope = new();
        using SmallGenerator usual = new(Network()),
            unguided = new(Network(), new SmallSettings { Guidance = 1 }),
            tiled = new(Network(), new SmallSettings { Tile = 64 });
        Tensor clean = Picture(96, 96);
        DegradationRequest request = new(DegradationKind.Haze, new(0.1, 0.05), 3, "a");
        using Synthesized one = usual.Generate(clean, request),
            two = unguided.Generate(clean, request),
            three = tiled.Generate(clean, request);
        Assert.False(one.Degraded.equal(two.Degraded).all().item<bool>());
        Assert.InRange((one.Degraded - three.Degraded).abs().mean().item<float>(), 1e-6, 0.05);
        Assert.Equal(("small", "small:guidance=1"), (usual.Name, unguided.Name));
    }

    [Fact]
    public void Kinds_that_it_does_not_make_are_rendered()
    {
        using ComputeScope scope = new();
        using SmallGenerator small = new(Network(), made: [DegradationKind.Haze]);
        using RenderedGenerator renderers = new();
        Tensor clean = Picture(64, 64);
        DegradationRequest request = new(DegradationKind.MotionBlur, new(0.03, 0.04), 3, "a");
        using Synthesized expected = renderers.Generate(clean, request),
            made = small.Generate(clean, request);
        Assert.True(expected.Degraded.equal(made.Degraded).all().item<bool>());
    }

    [Theory]
    [InlineData(0.05, 0.05)]
    [InlineData(0.1, 0.06)]
    [InlineData(0.1, 0.12)]
    [InlineData(0.2, 0.1)]
    public void A_change_is_brought_to_the_asked_mu_and_sigma(double mu, double sigma)
    {
        using ComputeScope scope = new();
        Tensor clean = Picture(64, 80),
            change = new PhiloxNoise(1, [new ImageKey(1)]).Draw(NoiseRole.Start, clean.shape) * 0.1;
        Tensor fitted = ChangeFit.Fit(clean, change, new(mu, sigma));
        Intensity got = Intensity.Between(fitted, clean);
        Assert.InRange(got.Mu / mu, 0.98, 1.02);
        Assert.InRange(got.Sigma / sigma, 0.95, 1.05);
        // It goes the same way everywhere.
        Assert.True(((fitted - clean) * change).min().item<float>() > -1e-3);
    }

    [Fact]
    public void Where_there_is_none_a_sentence_says_what_to_do()
    {
        Assert.Contains("train gendeg", Assert.Throws<CheckpointException>(() => Generators.Open("small")).Message);
        File.WriteAllText(Path.Combine(_folder, "card.json"), """{"kind":"adm-unet"}""");
        Assert.Contains("generator of degradations", Assert.Throws<CheckpointException>(() => Generators.Open(_folder)).Message);
        Assert.Contains("\"small\"", Assert.Throws<ArgumentException>(() => Generators.Open("smal")).Message);
    }

    private static DegradationUNet Network()
    {
        DegradationUNet network = new(
            new()
            {
                Widths = [16, 32],
                Embedding = 32,
                HeadWidth = 16,
            }
        );
        network.Initialize(1);
        // What starts at zero would keep everything from the output.
        using ComputeScope scope = new();
        foreach ((int i, Parameter parameter) in network.Parameters.Index())
        {
            Tensor noise = new PhiloxNoise(2, [new ImageKey((ulong)i)]).Draw(NoiseRole.Start, [1, .. parameter.Shape]).squeeze(0);
            parameter.Value = (parameter.Value + 0.05 * noise).DetachFromDisposeScope();
        }
        return network;
    }

    private static Tensor Picture(int height, int width) =>
        new PhiloxNoise(9, [new ImageKey(9)]).Draw(NoiseRole.Measurement, 1, 3, height, width).sigmoid();
}
