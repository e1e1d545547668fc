using Diffusion.Checkpoints;
using Diffusion.Direct;
using Diffusion.Pipeline;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.Tests.Checkpoints;
using Diffusion.Tests.Parity;

namespace Diffusion.Tests.Restoration;

/// <summary>Restoring by the file of a network that was trained for it.</summary>
public sealed class DirectMethodTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Theory, InlineData("nafnet", 0), InlineData("nafnet-local", 16)]
    public void A_file_restores_as_recorded(string name, int trainSize)
    {
        using ParityCase reference = Case(name);
        using RestorationRunner runner = Runner(new DirectMethod { Weights = Written(reference), TrainSize = trainSize });
        Tensor x = reference.Input("x");
        Measurement[] batch = [.. Enumerable.Range(0, (int)x.shape[0]).Select(i => new Measurement(x[i].unsqueeze(0), $"picture {i}"))];
        IReadOnlyList<RestoredPicture> restored = runner.Restore(batch);
        Tensor all = torch.cat([.. restored.Select(picture => picture.Picture.Pixels)]);
        TensorAssert.Close("y", reference.Expected("y").clamp(0, 1), all, 1e-4, 1e-4);
        Assert.All(restored, picture => Assert.Equal(("nafnet", 1), (picture.Solver, picture.Evaluations)));
        foreach (IDisposable one in restored.Cast<IDisposable>().Concat(batch))
            one.Dispose();
    }

    [Theory, InlineData(1, 1, 1), InlineData(1, 37, 21), InlineData(3, 130, 70)]
    public void Pictures_of_any_size_are_restored_gray_ones_to_gray(int channels, int height, int width)
    {
        using ParityCase reference = Case("nafnet");
        DirectMethod method = new() { Weights = Written(reference) };
        using RestorationRunner runner = Runner(method),
            tiled = new(method with { }, new RunOptions { Policy = ComputePolicy.Reference, Tile = 64 });
        using Measurement picture = new(torch.linspace(0, 1, width).expand(1, channels, height, width), "ramp");
        using RestoredPicture whole = runner.Restore([picture])[0],
            parts = tiled.Restore([picture])[0];
        Assert.Equal([1, channels, height, width], whole.Picture.Pixels.shape);
        Assert.Equal(whole.Picture.Pixels.shape, parts.Picture.Pixels.shape);
        double difference = (whole.Picture.Pixels - parts.Picture.Pixels).abs().max().item<float>();
        Assert.True(Math.Max(height, width) > 64 ? difference > 0 : difference == 0, $"{difference}");
    }

    [Fact]
    public void Little_memory_is_kept_to()
    {
        using ParityCase reference = Case("nafnet");
        using DirectMethod method = new() { Weights = Written(reference) };
        method.Open(ComputePolicy.Reference);
        using Measurement picture = new(torch.zeros(1, 3, 2048, 2048), "large");
        using IRestoration restoration = method.Begin([picture]);
        long whole = restoration.Bytes(2048, 2048, 1, null),
            tiles = restoration.Bytes(2048, 2048, 1, 256);
        Assert.True(tiles < whole);
        using RestorationRunner runner = new(
            new DirectMethod { Weights = method.Weights },
            new RunOptions { Policy = ComputePolicy.Reference, Memory = (whole + tiles) / 2 }
        );
        RestorePlan plan = runner.Plan(picture);
        Assert.InRange(plan.Bytes, 1, (whole + tiles) / 2);
        Assert.True(plan.Tile is not null || plan.Areas > 1);
    }

    [Fact]
    public void What_restores_nothing_is_said_to_hold_what_it_holds()
    {
        using ParityCase reference = Case("structure-correction");
        Assert.Contains("a NAFNet that restores no pictures by itself", Refused(Written(reference)));
        Assert.Contains(
            "restores no pictures by itself",
            Refused(Path.Combine(TestPaths.Repository, "checkpoints", "photo", "photo.safetensors"))
        );
        string missing = Refused("nafnet-gopro-width32");
        Assert.All(["NAFNet-GoPro-width32.pth", "68 MB", "megvii-research/NAFNet"], word => Assert.Contains(word, missing));
        Assert.Contains("no such file", Refused(_scratch.At("gone.pth")));
    }

    private static string Refused(string weights)
    {
        using DirectMethod method = new() { Weights = weights };
        string message = Assert.Throws<CheckpointException>(() => method.Open(ComputePolicy.Reference)).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }

    private static RestorationRunner Runner(DirectMethod method) => new(method, new RunOptions { Policy = ComputePolicy.Reference });

    private static ParityCase Case(string name) => ParityCase.Open(Path.Combine(TestPaths.Repository, "tests", "parity", "nafnet", name));

    // As published: below "params".
    private string Written(ParityCase reference)
    {
        string path = _scratch.At("restorer.pth");
        SafetensorsWriter.Write(path, reference.Weights().Tensors.ToDictionary(pair => "params." + pair.Key, pair => pair.Value.Read()));
        return path;
    }
}
