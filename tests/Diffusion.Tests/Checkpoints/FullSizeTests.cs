using System.Diagnostics;
using System.IO.Compression;
using System.Runtime.InteropServices;
using Diffusion.Checkpoints;
using Diffusion.Models;
using Diffusion.Native;
using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Tests.Checkpoints;

/// <summary>
/// A file in a published layout with random weights, as large as the environment variable <c>DIFFUSION_FULL_SIZE</c> asks for: the name of
/// a catalogue entry such as <c>imagenet256-uncond</c> (2.2 GB).
/// </summary>
[NeedsFinalizers]
public sealed class FullSizeTests(ITestOutputHelper output)
{
    private static readonly AdmUNetConfig Small = new()
    {
        ModelChannels = 96,
        NumResBlocks = 1,
        ChannelMult = [1, 2, 4],
        NumHeadChannels = 32,
        OutChannels = 6,
        UseScaleShiftNorm = true,
        ResblockUpdown = true,
    };

    [Theory, InlineData(ScalarType.Float32), InlineData(ScalarType.BFloat16)]
    public void A_large_file_loads_without_a_second_copy_and_runs(ScalarType dtype)
    {
        string? name = Environment.GetEnvironmentVariable("DIFFUSION_FULL_SIZE");
        AdmUNetConfig config = name is null ? Small : AdmUNetConfig.Keys.Read(CheckpointCatalog.Default.Find(name)!.Architecture.Config);
        using Scratch scratch = new();
        using ComputeScope scope = new();
        string path = scratch.At("model.pt");
        using AdmUNet network = new(config, new ComputePolicy { NetworkDtype = dtype });
        Write(path, network.Parameters);
        double size = new FileInfo(path).Length / 1048576.0,
            weights = dtype == ScalarType.Float32 ? size : size / 2;

        using MemoryWatch watch = new();
        Stopwatch time = Stopwatch.StartNew();
        using ICheckpoint file = Checkpoint.Open(path);
        file.Tensors.Values.First().Read().Dispose();
        output.WriteLine($"{size:F0} MiB; the first tensor after {time.Elapsed.TotalMilliseconds:F0} ms");
        Assert.Equal("adm-unet", CheckpointCatalog.Default.Identify(file)!.Architecture.Kind);
        time.Restart();
        StateDictLoader.Load(network.Parameters, file, dtype);
        double growth = watch.PeakGrowthMebibytes();
        output.WriteLine($"loaded as {CheckpointInspector.DtypeName(dtype)} in {time.Elapsed.TotalSeconds:F1} s, {growth:F0} MiB more");
        Assert.True(growth < (1.15 * weights) + 128, $"{growth:F0} MiB for {weights:F0} MiB of weights");
        network.Arrange();
        time.Restart();
        int side = Math.Max(config.ImageSize, 32);
        Tensor result = network.Forward(torch.zeros(1, 3, side, side), torch.zeros(1));
        output.WriteLine(
            $"one evaluation at {side}x{side} in {time.Elapsed.TotalSeconds:F1} s, {watch.PeakGrowthMebibytes():F0} MiB more at most"
        );
        Assert.True(result.isfinite().all().item<bool>());
    }

    // As torch.save writes it: one stored entry for each parameter.
    private static void Write(string path, IReadOnlyList<Parameter> parameters)
    {
        const int Block = 1 << 20;
        Random random = new(0);
        float[] noise = [.. Enumerable.Range(0, Block).Select(_ => (float)(random.NextDouble() - 0.5) * 0.02f)];
        using ZipArchive archive = new(File.Create(path), ZipArchiveMode.Create);
        (object? Key, object? Value)[] entries =
        [
            .. parameters.Select(
                (parameter, i) =>
                    (
                        (object?)parameter.Name,
                        (object?)
                            PyTorchFile.View(PyTorchFile.Storage($"{i}", Count(parameter)), 0, parameter.Shape, Strides(parameter.Shape))
                    )
            ),
        ];
        using (Stream pickle = archive.CreateEntry("archive/data.pkl", CompressionLevel.NoCompression).Open())
            pickle.Write(PickleBuilder.Dump(new Entries(entries) { Ordered = true }));
        for (int i = 0; i < parameters.Count; i++)
        {
            using Stream storage = archive.CreateEntry($"archive/data/{i}", CompressionLevel.NoCompression).Open();
            for (long left = Count(parameters[i]); left > 0; left -= Block)
                storage.Write(MemoryMarshal.AsBytes(noise.AsSpan(0, (int)Math.Min(left, Block))));
        }
    }

    private static long Count(Parameter parameter) => parameter.Shape.Aggregate(1L, (product, size) => product * size);

    private static long[] Strides(long[] shape)
    {
        long[] strides = new long[shape.Length];
        long step = 1;
        for (int d = shape.Length - 1; d >= 0; d--)
            (strides[d], step) = (step, step * shape[d]);
        return strides;
    }
}
