using System.Globalization;
using System.Reflection;
using System.Text.Json.Nodes;
using Diffusion.Imaging;
using Diffusion.Tests.Faces;

namespace Diffusion.EndToEnd;

/// <summary>One-step face restoration from a folder of files as they are published, through the built command.</summary>
public sealed class OsdFaceTests : IDisposable
{
    private readonly Workspace _work = new();

    private static string Repository =>
        typeof(OsdFaceTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "RepositoryRoot").Value!;

    public OsdFaceTests()
    {
        TinyFaceBundle.Write(Path.Combine(Repository, "tests", "parity", "osdface", "pipeline"), _work["bundle"]);
        TestPictures.Write(_work["face.png"], 48, 48);
    }

    public void Dispose() => _work.Dispose();

    [Fact]
    public void A_folder_of_published_files_restores_without_a_conversion()
    {
        JsonNode told = JsonNode.Parse(Restore("-o", "default.png", "--json").Expect(0).Output)!;
        Assert.Equal(("osdface", 1), ((string)told["solver"]!, (int)told["evaluations"]!));
        Restore("-o", "paper.png", "--preset", "paper").Expect(0);
        long bytes = (long)JsonNode.Parse(Restore("--dry-run", "--json").Expect(0).Output)!["bytes"]!;
        Assert.True(bytes > 100 << 20, $"{bytes} bytes");
        // One byte less than all networks together take: one after the other.
        Restore("-o", "frugal.png", "--memory", (bytes - 1).ToString(CultureInfo.InvariantCulture)).Expect(0);
        using Picture rounded = ImageFile.Read(_work["default.png"]),
            truncated = ImageFile.Read(_work["paper.png"]),
            frugal = ImageFile.Read(_work["frugal.png"]);
        using DisposeScope scope = torch.NewDisposeScope();
        Assert.Equal([1, 3, 32, 32], rounded.Pixels.shape);
        // Truncation takes up to one step of 255, and never adds one.
        Tensor lost = ((rounded.Pixels - truncated.Pixels) * 255).round();
        Assert.Equal((0, 1), (lost.min().item<float>(), lost.max().item<float>()));
        Assert.True((rounded.Pixels - frugal.Pixels).abs().max().item<float>() < 1.5 / 255);
    }

    [Fact]
    public void What_is_missing_or_wrong_is_one_line()
    {
        DiffusionCommand
            .Run(_work.Folder, ["restore", "face.png", "--model", "osdface"])
            .ExpectError(1, "bundle=FOLDER", "diffusion checkpoints list");
        File.Delete(_work["bundle/associate_2.ckpt"]);
        Restore().ExpectError(1, "associate_2.ckpt", "github.com/jkwang28/OSDFace", "117 MB");
        File.Copy(_work["bundle/pytorch_lora_weights.safetensors"], _work["bundle/associate_2.ckpt"]);
        Restore().ExpectError(1, "only LoRA updates", "associate_2.ckpt");
        Assert.Contains("associate_2.ckpt", DiffusionCommand.Run(_work.Folder, ["checkpoints", "list", "--json"]).Expect(0).Output);
    }

    private Outcome Restore(params string[] more) =>
        DiffusionCommand.Run(
            _work.Folder,
            ["restore", "face.png", "--model", "osdface", "--model-set", "bundle=bundle", "--model-set", "side=32", .. more]
        );
}
