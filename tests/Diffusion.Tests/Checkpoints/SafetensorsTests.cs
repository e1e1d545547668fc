using System.Buffers.Binary;
using System.Text;
using Diffusion.Checkpoints;
using Diffusion.Runtime;
using FsCheck.Xunit;

namespace Diffusion.Tests.Checkpoints;

[NeedsFinalizers]
public sealed class SafetensorsTests
{
    private static readonly ScalarType[] AllTypes =
    [
        ScalarType.Float64,
        ScalarType.Float32,
        ScalarType.Float16,
        ScalarType.BFloat16,
        ScalarType.Int64,
        ScalarType.Int32,
        ScalarType.Int16,
        ScalarType.Int8,
        ScalarType.Byte,
        ScalarType.Bool,
    ];

    [Fact]
    public void Every_dtype_and_shape_comes_back_as_it_was_written()
    {
        using Scratch scratch = new();
        using ComputeScope scope = new();
        long[][] shapes =
        [
            [],
            [0],
            [3],
            [2, 0, 4],
            [2, 3, 4],
            [1, 1, 1, 1, 5],
        ];
        Dictionary<string, Tensor> tensors = [];
        foreach (ScalarType type in AllTypes)
        foreach (long[] shape in shapes)
            tensors.Add($"{type}.{string.Join("x", shape)}", torch.arange(shape.Aggregate(1L, (a, b) => a * b)).reshape(shape).to(type));
        string path = scratch.At("w.safetensors");
        SafetensorsWriter.Write(path, tensors, new Dictionary<string, string> { ["about"] = "naïve \"quotes\"\n" });
        using ICheckpoint file = Checkpoint.Open(path);
        Assert.Equal("safetensors", file.Format);
        Assert.Equal("naïve \"quotes\"\n", file.Metadata["about"]);
        Assert.Equal(tensors.Keys.Order(), file.Tensors.Keys.Order());
        foreach ((string name, Tensor expected) in tensors)
        {
            Tensor actual = file.Tensors[name].Read();
            Assert.Equal(expected.dtype, actual.dtype);
            Assert.Equal(expected.shape, actual.shape);
            Assert.True(expected.eq(actual).all().item<bool>(), name);
        }
    }

    [Property(MaxTest = 50)]
    public void Any_names_and_metadata_survive(string[] names, string key, string value)
    {
        using Scratch scratch = new();
        using ComputeScope scope = new();
        string path = scratch.At("w.safetensors");
        Dictionary<string, Tensor> tensors = names
            .Where(name => name is not null && name != "__metadata__")
            .Select(WellFormed)
            .Distinct()
            .ToDictionary(name => name, name => torch.tensor(name.Length));
        Dictionary<string, string> metadata = new() { [WellFormed(key ?? "")] = WellFormed(value ?? "") };
        SafetensorsWriter.Write(path, tensors, metadata);
        using ICheckpoint file = Checkpoint.Open(path);
        Assert.Equal(tensors.Keys.Order(StringComparer.Ordinal), file.Tensors.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(metadata, file.Metadata);
    }

    [Fact]
    public void Writing_converts_floating_point_tensors_and_leaves_integers()
    {
        using Scratch scratch = new();
        using ComputeScope scope = new();
        string path = scratch.At("w.safetensors");
        SafetensorsWriter.Write(
            path,
            new Dictionary<string, Tensor> { ["f"] = torch.tensor([1.0f, 0.1f]), ["i"] = torch.tensor([7L]) },
            dtype: ScalarType.BFloat16
        );
        using ICheckpoint file = Checkpoint.Open(path);
        Assert.Equal(ScalarType.BFloat16, file.Tensors["f"].Dtype);
        Assert.Equal(ScalarType.Int64, file.Tensors["i"].Dtype);
        Assert.Equal(0.1f, file.Tensors["f"].Read(ScalarType.Float32)[1].item<float>(), 1e-3f);
    }

    [Fact]
    public void Numbers_that_float16_cannot_hold_are_not_written()
    {
        using Scratch scratch = new();
        using ComputeScope scope = new();
        CheckpointException error = Assert.Throws<CheckpointException>(() =>
            SafetensorsWriter.Write(
                scratch.At("w.safetensors"),
                new Dictionary<string, Tensor> { ["f"] = torch.tensor([1e6f]) },
                dtype: ScalarType.Float16
            )
        );
        Assert.Contains("as float16", error.Message);
        Assert.Empty(Directory.GetFileSystemEntries(scratch.Folder));
    }

    [Fact]
    public void A_failed_write_leaves_nothing_behind()
    {
        using Scratch scratch = new();
        string path = scratch.At("w.safetensors");
        Assert.Throws<InvalidOperationException>(() => SafetensorsWriter.Write(path, [new FailingEntry()]));
        Assert.Empty(Directory.GetFileSystemEntries(scratch.Folder));
        File.WriteAllText(path, "kept");
        CheckpointException error = Assert.Throws<CheckpointException>(() =>
            SafetensorsWriter.Write(path, new Dictionary<string, Tensor>(), overwrite: false)
        );
        Assert.Contains("exists already", error.Message);
        Assert.Equal("kept", File.ReadAllText(path));
    }

    [Fact]
    public void A_million_tiny_tensors_open()
    {
        using Scratch scratch = new();
        StringBuilder json = new("{");
        for (int i = 0; i < 1_000_000; i++)
            json.Append(i == 0 ? "" : ",").Append($"\"{i}\":{{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[{i},{i + 1}]}}");
        string path = scratch.File("w.safetensors", Build(json.Append('}').ToString(), 1_000_000));
        using ICheckpoint file = Checkpoint.Open(path);
        Assert.Equal(1_000_000, file.Tensors.Count);
    }

    [Fact]
    public void The_first_tensor_of_a_large_file_is_there_without_reading_the_rest()
    {
        using Scratch scratch = new();
        string path = scratch.At("w.safetensors");
        const long Size = 3L << 30;
        byte[] header = Encoding.UTF8.GetBytes(
            $$$"""
            {"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},
            "b":{"dtype":"U8","shape":[{{{Size}}}],"data_offsets":[16,{{{Size + 16}}}]}}
            """
        );
        using (FileStream sparse = File.Create(path))
        {
            sparse.Write(BitConverter.GetBytes((long)header.Length));
            sparse.Write(header);
            sparse.SetLength(8 + header.Length + 16 + Size);
        }
        using MemoryWatch watch = new();
        using ICheckpoint file = Checkpoint.Open(path);
        using Tensor first = file.Tensors["a"].Read();
        Assert.Equal(4, first.numel());
        Assert.True(watch.PeakGrowthMebibytes() < 64);
    }

    [Fact]
    public void A_file_that_shrinks_while_open_is_an_error_and_no_crash()
    {
        using Scratch scratch = new();
        byte[] content = Build("""{"a":{"dtype":"U8","shape":[100000],"data_offsets":[0,100000]}}""", 100000);
        string path = scratch.File("w.safetensors", content);
        using ICheckpoint file = Checkpoint.Open(path);
        using (FileStream shrink = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            shrink.SetLength(1000);
        CheckpointException error = Assert.Throws<CheckpointException>(() => file.Tensors["a"].Read());
        Assert.Contains("ends in the middle", error.Message);
    }

    [Fact]
    public void Reading_leaks_no_tensor()
    {
        using Scratch scratch = new();
        string path = scratch.At("w.safetensors");
        using (ComputeScope scope = new())
            SafetensorsWriter.Write(
                path,
                new Dictionary<string, Tensor> { ["a"] = torch.ones(3).to(ScalarType.Float16), ["b"] = torch.tensor([true, false]) }
            );
        using ICheckpoint file = Checkpoint.Open(path);
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        for (int i = 0; i < 10; i++)
        {
            file.Tensors["a"].Read(ScalarType.Float32).Dispose();
            file.Tensors["b"].Read().Dispose();
        }
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    /// <summary>A safetensors file of this header and so many zero bytes.</summary>
    internal static byte[] Build(string json, int dataLength, long? claimedLength = null)
    {
        byte[] header = Encoding.UTF8.GetBytes(json),
            file = new byte[8 + header.Length + dataLength];
        BinaryPrimitives.WriteInt64LittleEndian(file, claimedLength ?? header.Length);
        header.CopyTo(file, 8);
        return file;
    }

    private static string WellFormed(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

    private sealed class FailingEntry : TensorEntry
    {
        public override string Name => "a";
        public override ScalarType Dtype => ScalarType.Float32;
        public override IReadOnlyList<long> Shape => [1];

        public override Tensor Read(ScalarType? dtype = null) => throw new InvalidOperationException();
    }
}
