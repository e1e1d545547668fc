using Diffusion.Checkpoints;
using Diffusion.Models;
using Diffusion.Runtime;
using Diffusion.Synthesis;
using Diffusion.Synthesis.GenDeg;
using Diffusion.Tests.Checkpoints;
using Diffusion.Tests.Parity;

namespace Diffusion.Tests.Synthesis;

/// <summary>GenDeg as a generator, from a folder of files as they are published.</summary>
public sealed class GenDegGeneratorTests : IClassFixture<GenDegGeneratorTests.Bundle>, IDisposable
{
    private static readonly GenDegSettings Quick = new() { Steps = 2 };
    private readonly ComputeScope _scope = new();
    private readonly string _folder;

    public GenDegGeneratorTests(Bundle bundle)
    {
        if (!TestPaths.ParityRoots.Any())
            Assert.Skip("There are no reference numbers.");
        torch.set_num_threads(1);
        _folder = bundle.Folder;
    }

    public void Dispose() => _scope.Dispose();

    [Theory, InlineData(40, 72), InlineData(64, 64), InlineData(9, 5)]
    public void Pictures_of_any_size_are_degraded(int height, int width)
    {
        using GenDegGenerator generator = Open(Quick);
        using Synthesized sample = generator.Generate(Picture(height, width), Request(DegradationKind.Haze));
        Assert.Equal([1, 3, height, width], sample.Degraded.shape);
        Assert.InRange(sample.Degraded.min().item<float>(), 0, 1);
        Assert.InRange(sample.Degraded.max().item<float>(), 0, 1);
        Assert.Equal(Intensity.Between(sample.Degraded, Picture(height, width)), sample.Measured);
        Assert.Null(sample.Note);
    }

    [Fact]
    public void A_sample_depends_on_its_request_alone()
    {
        using GenDegGenerator generator = Open(Quick),
            other = Open(Quick);
        DegradationRequest request = Request(DegradationKind.Rain);
        Tensor first = Degraded(generator, request);
        Degraded(generator, request with { Key = "another" });
        TensorAssert.Close("again", first, Degraded(generator, request), 0, 0);
        TensorAssert.Close("elsewhere", first, Degraded(other, request), 0, 0);
        foreach (
            DegradationRequest changed in new[]
            {
                request with
                {
                    Key = "another",
                },
                request with
                {
                    Seed = 9,
                },
                request with
                {
                    Intensity = new(0.5, 0.06),
                },
                request with
                {
                    Intensity = new(0.1, 0.3),
                },
                request with
                {
                    Kind = DegradationKind.Snow,
                },
                request with
                {
                    Caption = "a green tree",
                },
                request with
                {
                    Dataset = "ORD",
                },
            }
        )
            Assert.True((first - Degraded(generator, changed)).abs().max().item<float>() > 1e-5, changed.ToString());
    }

    [Fact]
    public void Networks_that_are_freed_give_the_same_picture()
    {
        using GenDegGenerator plenty = Open(Quick),
            scarce = new(_folder, Quick, ComputePolicy.Reference, plenty.Plan(24, 40).Bytes - 1);
        Assert.True(scarce.Plan(24, 40).Frugal);
        DegradationRequest request = Request(DegradationKind.MotionBlur);
        TensorAssert.Close("degraded", Degraded(plenty, request), Degraded(scarce, request), 1e-4, 0);
    }

    [Fact]
    public void The_bound_decides_how_a_picture_is_computed()
    {
        GenDegPlan whole = Plan(long.MaxValue)!;
        Assert.Equal((null, true, false), (whole.Tile, whole.Together, whole.Frugal));
        Assert.Equal(512, Plan(long.MaxValue, tile: 512)!.Tile);
        GenDegPlan last = whole;
        while (Plan(last.Bytes - 1) is { } next)
        {
            Assert.True(next.Bytes < last.Bytes);
            last = next;
        }
        Assert.Equal((256, true), (last.Tile, last.Frugal));
    }

    [Fact]
    public void Tiles_are_put_together_without_a_trace()
    {
        Tensor latents = torch.randn(3, 2, 19, 40);
        List<long[]> seen = [];
        Tensor tiled = PictureTiles.Compute(latents, 16, 8, part =>
        {
            seen.Add(part.shape);
            return part.narrow(1, 0, 1) * 2;
        });
        TensorAssert.Close("tiled", latents.narrow(1, 0, 1) * 2, tiled, 1e-5, 1e-5);
        Assert.True(seen.Count > 4);
        Assert.All(seen, shape => Assert.True(shape[0] == 3 && shape[2] <= 16 && shape[3] <= 16));
        using GenDegGenerator generator = Open(Quick with { Tile = 64 });
        using Synthesized sample = generator.Generate(Picture(64, 136), Request(DegradationKind.Haze));
        Assert.Equal([1, 3, 64, 136], sample.Degraded.shape);
    }

    [Fact]
    public void The_papers_preset_makes_squares_of_8_bits()
    {
        using GenDegGenerator paper = Open(Quick with { Preset = GenDegPreset.Paper, Side = 64 });
        Tensor clean = paper.Clean(Picture(40, 72));
        Assert.Equal([1, 3, 64, 64], clean.shape);
        Tensor degraded = Degraded(paper, Request(DegradationKind.Haze), clean);
        foreach (Tensor picture in new[] { clean, degraded })
            TensorAssert.Close("8 bits", (picture * 255).round() / 255, picture, 1e-6, 0);
        using GenDegGenerator usual = Open(Quick);
        Tensor exact = Degraded(usual, Request(DegradationKind.Haze), clean);
        TensorAssert.Close("truncated", (exact * 255).floor() / 255, degraded, 1e-6, 0);
    }

    [Theory]
    [InlineData(StructureCorrection.AsIntended, "Haze MotionBlur Raindrop")]
    [InlineData(StructureCorrection.AsPublished, "Haze MotionBlur")]
    [InlineData(StructureCorrection.All, "Haze Rain Snow MotionBlur LowLight Raindrop")]
    [InlineData(StructureCorrection.None, "")]
    public void The_structure_is_corrected_where_it_should_be(StructureCorrection correction, string corrected)
    {
        GenDegSettings settings = Quick with { Steps = 1, Correction = correction };
        using GenDegGenerator without = Open(settings with { Correction = StructureCorrection.None }),
            with = Open(settings);
        foreach (DegradationKind kind in new[] { DegradationKind.Haze, DegradationKind.Rain, DegradationKind.Raindrop })
        {
            bool differs = (Degraded(without, Request(kind)) - Degraded(with, Request(kind))).abs().max().item<float>() > 1e-6;
            Assert.Equal(corrected.Split(' ').Contains(kind.ToString()), differs);
        }
        Assert.Equal(corrected.Split(' ').Contains("MotionBlur"), settings.Corrects(DegradationKind.MotionBlur));
    }

    [Theory]
    [InlineData("gendeg.ckpt", "sudraj2002/GenDeg", "7706 MB")]
    [InlineData("nafnet_sd.ckpt", "sudraj2002/GenDeg", "464 MB")]
    [InlineData("vocab.json", "openai/clip-vit-large-patch14", "1.4 MB")]
    public void A_part_that_is_missing_is_named_with_where_it_is_published_and_its_size(string part, string home, string size)
    {
        using Scratch scratch = new();
        foreach (string file in Directory.GetFiles(_folder).Where(file => Path.GetFileName(file) != part))
            File.Copy(file, scratch.At(Path.GetFileName(file)));
        string message = Assert.Throws<CheckpointException>(() => GenDegBundle.Open(scratch.Folder)).Message;
        Assert.All([part, home, size], word => Assert.Contains(word, message));
    }

    [Fact]
    public void A_file_of_another_family_is_named()
    {
        using Scratch scratch = new();
        foreach (string file in Directory.GetFiles(_folder))
            File.Copy(file, scratch.At(Path.GetFileName(file)));
        File.Copy(scratch.At("gendeg.ckpt"), scratch.At("nafnet_sd.ckpt"), overwrite: true);
        Assert.Contains(
            "a GenDeg degradation synthesiser, not GenDeg's structure correction",
            Assert.Throws<CheckpointException>(() => GenDegBundle.Open(scratch.Folder)).Message
        );
        GenDegBundle.Open(scratch.Folder, corrects: false).Dispose();
    }

    [Fact]
    public void What_the_network_cannot_be_told_is_said()
    {
        using GenDegGenerator generator = Open(Quick with { Steps = 1 });
        Tensor picture = Picture(16, 16);
        Assert.Contains(
            "above the bins",
            generator.Generate(picture, Request(DegradationKind.Haze) with { Intensity = new(0.8, 0.1) }).Note
        );
        Assert.Contains(
            "too long by",
            generator
                .Generate(picture, Request(DegradationKind.Haze) with { Caption = string.Join(' ', Enumerable.Repeat("long", 90)) })
                .Note
        );
        Assert.Throws<ArgumentException>(() =>
            generator.Generate(picture, Request(DegradationKind.Haze) with { Intensity = new(-0.1, 0.1) })
        );
        using CancellationTokenSource cancelled = new();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => generator.Generate(picture, Request(DegradationKind.Haze), cancelled.Token));
    }

    [Fact]
    public void A_published_file_is_recognised()
    {
        CheckpointSummary summary = CheckpointInspector.Inspect(Path.Combine(_folder, "gendeg.ckpt"));
        Assert.Equal("gendeg", summary.Identity!.Architecture.Kind);
        Assert.Equal(128, (int)summary.Identity.Architecture.Config["bins"]!);
    }

    // null where a picture of 1024 pixels does not fit.
    private GenDegPlan? Plan(long bound, int tile = 0)
    {
        using GenDegGenerator generator = new(_folder, Quick with { Tile = tile }, ComputePolicy.Reference, bound);
        try
        {
            return generator.Plan(1024, 1024);
        }
        catch (ResourceException none)
        {
            Assert.Contains("GenDeg needs about", none.Message);
            return null;
        }
    }

    private GenDegGenerator Open(GenDegSettings settings) => new(_folder, settings, ComputePolicy.Reference, memory: 8L << 30);

    private static DegradationRequest Request(DegradationKind kind) => new(kind, new(0.1, 0.06), 3, "picture");

    private static Tensor Picture(int height, int width) =>
        (torch.linspace(0, 1, height).unsqueeze(1) * torch.linspace(0.2, 1, width)).expand(1, 3, height, width);

    private static Tensor Degraded(GenDegGenerator generator, DegradationRequest request, Tensor? clean = null) =>
        generator.Generate(clean ?? Picture(24, 40), request).Degraded;

    /// <summary>A bundle for all tests.</summary>
    public sealed class Bundle : IDisposable
    {
        private readonly Scratch _scratch = new();

        public Bundle()
        {
            if (TestPaths.ParityRoots.Any())
                TinyGenDegBundle.Write(Path.Combine(TestPaths.Repository, "tests", "parity"), _scratch.Folder);
        }

        public string Folder => _scratch.Folder;

        public void Dispose() => _scratch.Dispose();
    }
}
