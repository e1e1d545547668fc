using Diffusion.Checkpoints;
using Diffusion.Faces;
using Diffusion.Networks;
using Diffusion.Pipeline;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.Tests.Checkpoints;
using Diffusion.Tests.Parity;

namespace Diffusion.Tests.Faces;

/// <summary>OSDFace as a restoration method, from a folder of files as they are published.</summary>
public sealed class OsdFaceTests : IDisposable
{
    private readonly ParityCase _reference = ParityCase.Open(Case);
    private readonly Scratch _scratch = new();

    private static string Case => Path.Combine(TestPaths.Repository, "tests", "parity", "osdface", "pipeline");

    public void Dispose()
    {
        _scratch.Dispose();
        _reference.Dispose();
    }

    [Theory, InlineData(1, false), InlineData(3, false), InlineData(1, true)]
    public void A_bundle_restores_as_recorded_whether_its_networks_are_kept_or_freed(int shards, bool frugal)
    {
        TinyFaceBundle.Write(Case, _scratch.At("bundle"), shards);
        using OsdFace method = Opened(new OsdFace { Bundle = _scratch.At("bundle"), Side = TinyFaceBundle.Side });
        method.KeepWithin(frugal ? 1 : long.MaxValue);
        Tensor restored = Run(method);
        _reference.AssertOutput("output", restored, 2);
        using Measurement face = Face();
        using IRestoration restoration = method.Begin([face]);
        long together = restoration.Bytes(TinyFaceBundle.Side, TinyFaceBundle.Side, 1, null);
        method.KeepWithin(frugal ? long.MaxValue : 1);
        long other = restoration.Bytes(TinyFaceBundle.Side, TinyFaceBundle.Side, 1, null);
        Assert.True(frugal ? together < other : other < together, $"{together} and {other} bytes");
    }

    [Fact]
    public void The_paper_preset_truncates_and_the_default_does_not()
    {
        TinyFaceBundle.Write(Case, _scratch.At("bundle"));
        using OsdFace usual = Opened(new OsdFace { Bundle = _scratch.At("bundle"), Side = TinyFaceBundle.Side }),
            paper = Opened(usual with { Preset = FacePreset.Paper });
        Tensor restored = Run(usual),
            truncated = Run(paper);
        TensorAssert.Close("truncated", (restored * 255).floor() / 255, truncated, 1e-6, 0);
        Assert.True((restored - truncated).abs().max().item<float>() > 1e-3);
    }

    [Theory, InlineData(FaceColorFix.Adain), InlineData(FaceColorFix.Wavelet)]
    public void Colors_become_those_of_the_input(FaceColorFix fix)
    {
        TinyFaceBundle.Write(Case, _scratch.At("bundle"));
        using OsdFace usual = Opened(new OsdFace { Bundle = _scratch.At("bundle"), Side = TinyFaceBundle.Side }),
            colored = Opened(usual with { ColorFix = fix });
        Tensor wanted = (_reference.Input("lq") * 0.5 + 0.5).mean([2L, 3L]);
        double Off(Tensor picture) => (picture.mean([2L, 3L]) - wanted).abs().max().item<float>();
        Assert.True(Off(Run(colored)) < 0.1 * Off(Run(usual)), $"{Off(Run(colored))} against {Off(Run(usual))}");
    }

    [Fact]
    public void Faces_are_restored_the_same_alone_and_together()
    {
        TinyFaceBundle.Write(Case, _scratch.At("bundle"));
        OsdFace method = new() { Bundle = _scratch.At("bundle"), Side = TinyFaceBundle.Side };
        using RestorationRunner runner = new(method, new RunOptions { Policy = ComputePolicy.Reference, Seed = 3 });
        using Measurement face = Face(),
            other = new(_reference.Input("picture").to(ScalarType.Float32).flip(3) / 255, "other");
        using RestoredPicture alone = runner.Restore([face])[0];
        IReadOnlyList<RestoredPicture> both = runner.Restore([other, face]);
        TensorAssert.Close("face", alone.Picture.Pixels, both[1].Picture.Pixels, 1e-4, 0);
        Assert.Equal(("osdface", 1), (alone.Solver, alone.Evaluations));
        foreach (RestoredPicture one in both)
            one.Dispose();
    }

    [Theory, InlineData(1, 1), InlineData(33, 47)]
    public void Pictures_of_any_size_are_restored(int height, int width)
    {
        TinyFaceBundle.Write(Case, _scratch.At("bundle"));
        OsdFace method = new() { Bundle = _scratch.At("bundle"), Side = TinyFaceBundle.Side };
        using RestorationRunner runner = new(method, new RunOptions { Policy = ComputePolicy.Reference });
        using Measurement face = new(torch.full([1, 1, height, width], 0.5f), "gray");
        using RestoredPicture restored = runner.Restore([face])[0];
        (int h, int w) = height == width ? (TinyFaceBundle.Side, TinyFaceBundle.Side) : (height, width);
        Assert.Equal([1, 3, h, w], restored.Picture.Pixels.shape);
    }

    [Theory]
    [InlineData("associate_2.ckpt", "jkwang28/OSDFace", "117 MB")]
    [InlineData("embedding_change_weights.pth", "jkwang28/OSDFace", "2 MB")]
    [InlineData("pytorch_lora_weights.safetensors", "jkwang28/OSDFace", "68 MB")]
    [InlineData("stable-diffusion-2-1-base", "stabilityai/stable-diffusion-2-1-base", "3800 MB")]
    public void A_part_that_is_missing_is_named_with_where_it_is_published_and_its_size(string part, string home, string size)
    {
        TinyFaceBundle.Write(Case, _scratch.At("bundle"));
        string path = Path.Combine(_scratch.At("bundle"), part);
        if (Directory.Exists(path))
            Directory.Delete(path, recursive: true);
        else
            File.Delete(path);
        string message = Assert.Throws<CheckpointException>(() => OsdFaceBundle.Open(_scratch.At("bundle"))).Message;
        Assert.All([part, home, size], word => Assert.Contains(word, message));
    }

    [Theory]
    [InlineData("embedding_change_weights.pth", "associate_2.ckpt", "the embedding change of OSDFace, not OSDFace's visual")]
    [InlineData("pytorch_lora_weights.safetensors", "associate_2.ckpt", "only LoRA updates")]
    [InlineData(
        "associate_2.ckpt",
        "pytorch_lora_weights.safetensors",
        "the visual representation embedder of OSDFace, not OSDFace's updates"
    )]
    [InlineData("associate_2.ckpt", TinyFaceBundle.Base + "/vae/diffusion_pytorch_model.safetensors", "do not fit")]
    public void A_file_of_another_family_is_named(string given, string place, string expected)
    {
        TinyFaceBundle.Write(Case, _scratch.At("bundle"));
        File.Copy(Path.Combine(_scratch.At("bundle"), given), Path.Combine(_scratch.At("bundle"), place), overwrite: true);
        string message = Assert
            .Throws<CheckpointException>(() =>
            {
                using OsdFaceBundle bundle = OsdFaceBundle.Open(_scratch.At("bundle"));
                bundle.LoadVae(ComputePolicy.Reference).Dispose();
            })
            .Message;
        Assert.Contains(expected, message);
        Assert.DoesNotContain('\n', message);
    }

    private static OsdFace Opened(OsdFace method)
    {
        method.Open(ComputePolicy.Reference);
        return method;
    }

    private Measurement Face() => new(_reference.Input("picture").to(ScalarType.Float32) / 255, "face");

    private Tensor Run(OsdFace method)
    {
        using Measurement face = Face();
        using IRestoration restoration = method.Begin([face]);
        ReplayedNoise noise = new([.. _reference.Draws.Select(draw => (NoiseRole.Start, draw))]);
        Tensor restored = restoration.Run(null, new MethodContext { Noise = _ => noise });
        noise.AssertExhausted();
        return restored;
    }
}
