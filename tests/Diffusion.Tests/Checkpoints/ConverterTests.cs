using Diffusion.Checkpoints;
using Diffusion.Models;
using Diffusion.Runtime;
using static Diffusion.Tests.Checkpoints.PyTorchFile;

namespace Diffusion.Tests.Checkpoints;

public sealed class ConverterTests
{
    [Fact]
    public void A_pytorch_file_becomes_safetensors_of_another_dtype()
    {
        using Scratch scratch = new();
        string source = scratch.File(
                "m.pt",
                Zip(new Entries(("a", Vector("0", 4)), ("b", View(Storage("0", 4), 0, [2, 2], [1, 2]))), ("0", Floats(4)))
            ),
            output = scratch.At("m.safetensors");
        ConversionReport report = CheckpointConverter.ToSafetensors(source, output, ScalarType.Float16);
        Assert.Equal(2, report.Tensors);
        Assert.Equal(new FileInfo(output).Length, report.Bytes);
        using ICheckpoint file = Checkpoint.Open(output);
        Assert.Equal(ScalarType.Float16, file.Tensors["a"].Dtype);
        using Tensor b = file.Tensors["b"].Read(ScalarType.Float32);
        Assert.Equal([0, 2, 1, 3], b.data<float>().ToArray());
    }

    [Fact]
    public void Only_the_recognised_network_is_kept_unless_everything_is_asked_for()
    {
        using Scratch scratch = new();
        Entries unet = new(("temb.dense.0.weight", Vector("0", 4)), ("conv_in.weight", Vector("0", 4)), ("x.weight", Vector("0", 4)));
        string source = scratch.File(
            "m.pt",
            Zip(new Entries(("params", unet), ("optimizer", new Entries(("step", Vector("0", 4))))), ("0", Floats(4)))
        );
        ConversionReport report = CheckpointConverter.ToSafetensors(source, scratch.At("network.safetensors"));
        Assert.Equal((3, 1), (report.Tensors, report.LeftOut));
        Assert.Equal(4, CheckpointConverter.ToSafetensors(source, scratch.At("all.safetensors"), everything: true).Tensors);
        using ICheckpoint file = Checkpoint.Open(scratch.At("network.safetensors"));
        Assert.Contains("conv_in.weight", file.Tensors.Keys);
    }

    [Fact]
    public void A_damaged_source_leaves_no_output()
    {
        using Scratch scratch = new();
        string source = scratch.File(
            "m.pt",
            ZipBuilder.Build(
                Parts(new Entries(("a", Vector("0", 4))), ("0", Floats(4)))
                    .Select(part => part.Name.EndsWith("/0", StringComparison.Ordinal) ? part with { Crc = 1 } : part)
            )
        );
        Assert.Throws<CheckpointException>(() => CheckpointConverter.ToSafetensors(source, scratch.At("m.safetensors")));
        Assert.Equal([source], Directory.GetFileSystemEntries(scratch.Folder));
        Assert.Throws<ArgumentException>(() => CheckpointConverter.ToSafetensors(source, source));
    }

    [Fact]
    public void A_summary_counts_tensors_and_verification_finds_what_is_not_finite()
    {
        using Scratch scratch = new();
        using ComputeScope scope = new();
        string path = scratch.At("m.safetensors");
        SafetensorsWriter.Write(
            path,
            new Dictionary<string, Tensor>
            {
                ["good"] = torch.ones(2, 3),
                ["bad"] = torch.tensor([1, float.NaN]),
                ["n"] = torch.tensor(3L),
            }
        );
        CheckpointSummary summary = CheckpointInspector.Inspect(path);
        Assert.Equal((3, 9L), (summary.Tensors, summary.Elements));
        Assert.Equal(new Dictionary<string, int> { ["float32"] = 2, ["int64"] = 1 }, summary.Dtypes);
        Assert.Null(summary.Identity);
        Assert.Equal(["bad"], CheckpointInspector.Verify(path));
    }
}
