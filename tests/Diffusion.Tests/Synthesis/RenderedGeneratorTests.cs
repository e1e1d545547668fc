using Diffusion.Imaging;
using Diffusion.Runtime;
using Diffusion.Synthesis;
using Diffusion.Synthesis.Intensities;
using Diffusion.Synthesis.Rendering;

namespace Diffusion.Tests.Synthesis;

/// <summary>What holds for every renderer, and what its physics says of each.</summary>
public sealed class RenderedGeneratorTests : IDisposable
{
    private readonly ComputeScope _scope = new();
    private readonly RenderedGenerator _generator = new();

    public static TheoryData<DegradationKind> Kinds => [.. Enum.GetValues<DegradationKind>()];

    public void Dispose()
    {
        _generator.Dispose();
        _scope.Dispose();
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Any_size_and_shape_comes_back_in_eight_bits_and_measured(DegradationKind kind)
    {
        foreach ((int height, int width) in ((int, int)[])[(1, 1), (5, 3), (16, 16), (31, 97), (120, 64)])
        {
            Tensor clean = TestScene.Draw(height, width);
            Synthesized made = Make(kind, clean, 0.5);
            Assert.Equal(clean.shape, made.Degraded.shape);
            Tensor steps = made.Degraded * 255;
            Assert.True((steps - steps.round()).abs().max().item<float>() < 1e-3, "Values between 8-bit steps.");
            Assert.InRange(made.Degraded.min().item<float>(), 0, 1);
            Assert.InRange(made.Degraded.max().item<float>(), 0, 1);
            Intensity measured = Intensity.Between(made.Degraded, clean);
            Assert.Equal(measured.Mu, made.Measured.Mu, 6);
            Assert.Equal(measured.Sigma, made.Measured.Sigma, 6);
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Mu_and_sigma_that_are_in_reach_are_met_within_ten_percent(DegradationKind kind)
    {
        Tensor clean = TestScene.Draw(96, 128, 2);
        foreach (double level in (double[])[0.15, 0.5, 0.85])
        {
            // What this very scene gave once is in its reach.
            Intensity asked = Make(kind, clean, level).Measured;
            Synthesized made = _generator.Generate(clean, new DegradationRequest(kind, asked, 5, "sample"));
            Assert.Null(made.Note);
            Assert.InRange(made.Measured.Mu / asked.Mu, 0.9, 1.1);
            Assert.InRange(made.Measured.Sigma / asked.Sigma, 0.9, 1.1);
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public void What_is_out_of_reach_is_made_as_near_as_it_can_be_and_said(DegradationKind kind)
    {
        Tensor clean = TestScene.Draw(64, 64);
        Synthesized made = _generator.Generate(clean, new DegradationRequest(kind, new Intensity(0.9, 0.01), 5, "sample"));
        Assert.Contains("out of reach", made.Note);
        Assert.Contains(FormattableString.Invariant($"{made.Measured.Mu:0.000}"), made.Note);
        // It goes as far as it can: farther than a mild sample.
        Assert.True(made.Measured.Mu > Make(kind, clean, 0.3).Measured.Mu, $"Only mu {made.Measured.Mu}.");
    }

    [Theory, MemberData(nameof(Kinds))]
    public void A_sample_is_its_keys_alone_whatever_the_threads_and_other_keys_give_other_layouts(DegradationKind kind)
    {
        Tensor clean = TestScene.Draw(80, 112, 1);
        int threads = torch.get_num_threads();
        Tensor first = Make(kind, clean, 0.6).Degraded;
        try
        {
            torch.set_num_threads(threads == 1 ? 2 : 1);
            Make(kind, clean, 0.3, seed: 8).Dispose();
            Assert.Equal(0, (first - Make(kind, clean, 0.6).Degraded).abs().max().item<float>());
        }
        finally
        {
            torch.set_num_threads(threads);
        }
        Tensor change = first - clean;
        foreach (Tensor other in (Tensor[])[Make(kind, clean, 0.6, seed: 6).Degraded, Make(kind, clean, 0.6, key: "other").Degraded])
        {
            Tensor otherChange = other - clean;
            Assert.True((change - otherChange).abs().mean().item<float>() > 0.002, "Another seed or key gave the same layout.");
        }
    }

    [Fact]
    public void Haze_hides_what_the_depth_map_says_is_far()
    {
        Tensor clean = TestScene.Draw(64, 96);
        Tensor depth = torch.zeros(1, 1, 64, 96);
        depth.narrow(3, 48, 48).fill_(1);
        DegradationRequest request = new(DegradationKind.Haze, new Intensity(0.12, 0.12), 3, "sample") { Depth = depth };
        Tensor change = (_generator.Generate(clean, request).Degraded - clean).abs();
        double near = change.narrow(3, 0, 48).mean().item<float>(),
            far = change.narrow(3, 48, 48).mean().item<float>();
        Assert.True(far > 3 * near, $"Near {near}, far {far}.");
    }

    [Fact]
    public void A_depth_map_of_another_size_is_refused()
    {
        Tensor clean = TestScene.Draw(32, 32);
        DegradationRequest request = new(DegradationKind.Haze, new Intensity(0.1, 0.1), 3, "sample") { Depth = torch.zeros(1, 1, 16, 16) };
        ArgumentException error = Assert.Throws<ArgumentException>(() => _generator.Generate(clean, request));
        Assert.Contains("depth map", error.Message);
    }

    [Fact]
    public void Camera_shake_keeps_the_light()
    {
        Tensor clean = TestScene.Draw(128, 128, 4);
        Tensor blurred = Make(DegradationKind.MotionBlur, clean, 0.7).Degraded;
        double before = Color.ToLinear(clean).mean().item<float>(),
            after = Color.ToLinear(blurred).mean().item<float>();
        Assert.Equal(1, after / before, 0.02);
        static double Detail(Tensor x) => (x.narrow(3, 1, 127) - x.narrow(3, 0, 127)).abs().mean().item<float>();
        Assert.True(Detail(blurred) < 0.8 * Detail(clean), "Nothing was blurred.");
    }

    [Fact]
    public void The_dark_is_darker_and_noisier_in_its_own_light()
    {
        Tensor clean = torch.full([1, 3, 96, 96], 0.6f);
        Tensor dark = Make(DegradationKind.LowLight, clean, 0.7).Degraded;
        Assert.True(dark.mean().item<float>() < 0.5, "It is not darker.");
        // Of an even picture only the noise and the fall-off of the light are left; neighbours differ by the noise.
        double noise = (dark.narrow(3, 1, 95) - dark.narrow(3, 0, 95)).abs().mean().item<float>();
        Assert.InRange(noise, 0.002, 0.1);
        // Photosites of a Bayer sensor share noise with their neighbours, channel by channel: the channels differ.
        Assert.True((dark.narrow(1, 0, 1) - dark.narrow(1, 2, 1)).std().item<float>() > 0.001, "The noise has no colour.");
    }

    [Theory]
    [InlineData(DegradationKind.Rain), InlineData(DegradationKind.Snow)]
    public void What_falls_is_brighter_than_a_dark_scene_and_gathered_in_places(DegradationKind kind)
    {
        Tensor clean = torch.cat([torch.full([1, 3, 128, 120], 51 / 255f), torch.full([1, 3, 128, 8], 204 / 255f)], 3);
        Tensor change = _generator.Generate(clean, new DegradationRequest(kind, new Intensity(0.04, 0.08), 2, "sample")).Degraded - clean;
        Tensor dark = change.narrow(3, 0, 112);
        Assert.True(dark.mean().item<float>() > 0.02, "Nothing fell.");
        Assert.True(dark.min().item<float>() > -0.01, "The dark became darker.");
        Assert.True(dark.median().item<float>() < 0.7 * dark.mean().item<float>(), "It lies over everything alike.");
    }

    [Fact]
    public void Drops_leave_the_rest_of_the_picture_alone_and_show_the_scene_upside_down()
    {
        // Bright above and dark below.
        Tensor clean = torch.linspace(0.95, 0.1, 160).reshape(1, 1, 160, 1).expand(1, 3, 160, 160).contiguous();
        clean = (clean * 255).round() / 255;
        Tensor change = _generator
            .Generate(clean, new DegradationRequest(DegradationKind.Raindrop, new Intensity(0.03, 0.09), 4, "sample"))
            .Degraded.sub(clean)
            .mean([1], keepdim: true);
        Assert.True(change.abs().lt(0.004).to(ScalarType.Float32).mean().item<float>() > 0.4, "Too little is left alone.");
        double above = change.narrow(2, 0, 50).mean().item<float>(),
            below = change.narrow(2, 110, 50).mean().item<float>();
        Assert.True(above < 0 && below > 0, $"Drops in the sky should be darker ({above}), drops on the ground brighter ({below}).");
    }

    private Synthesized Make(DegradationKind kind, Tensor clean, double level, ulong seed = 5, string key = "sample") =>
        _generator.Generate(clean, new DegradationRequest(kind, LevelIntensity.At(kind, level), seed, key));
}
