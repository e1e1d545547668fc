using System.Buffers.Binary;
using System.Text.Json;
using Diffusion.Checkpoints;
using Diffusion.Runtime;

namespace Diffusion.Networks.FaceApi;

/// <summary>
/// A weight file of TensorFlow.js as face-api publishes it: <c>NAME-weights_manifest.json</c> with names, shapes and the line
/// that turns a
/// byte into a number, and <c>NAME.bin</c> with the numbers one after another.
/// </summary>
/// <remarks>
/// value = scale * byte + min, in double, then float32; tensors without that line are raw float32. Convolution kernels are turned
/// into
/// PyTorch's layout [out,in,height,width] (depth-wise ones [channels,1,height,width]); dense matrices stay [in,out].
/// </remarks>
internal sealed class QuantizedWeights : ICheckpoint
{
    private readonly Dictionary<string, TensorEntry> _tensors = [];

    private QuantizedWeights(string path, JsonElement manifest, byte[] bytes)
    {
        Path = path;
        int offset = 0;
        foreach (JsonElement json in manifest.EnumerateArray().SelectMany(group => group.GetProperty("weights").EnumerateArray()))
        {
            Entry entry = new(json, bytes, offset);
            if (entry.End > bytes.Length)
                throw new CheckpointException($"The file ends before {entry.Name}", path, "It is truncated; fetch it again");
            _tensors[entry.Name] = entry;
            offset = entry.End;
        }
        if (offset != bytes.Length)
            throw new CheckpointException(
                $"The file is {bytes.Length - offset} bytes longer than its manifest says",
                path,
                "Fetch both again"
            );
    }

    /// <inheritdoc/>
    public string Path { get; }

    /// <inheritdoc/>
    public string Format => "tensorflow-js";

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, TensorEntry> Tensors => _tensors;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Metadata { get; } = new Dictionary<string, string>();

    /// <summary>Opens a model of a folder.</summary>
    /// <exception cref="CheckpointException">A file is missing or damaged.</exception>
    public static QuantizedWeights Open(string folder, string name)
    {
        string path = System.IO.Path.Combine(folder, $"{name}.bin"),
            manifest = System.IO.Path.Combine(folder, $"{name}-weights_manifest.json");
        try
        {
            using JsonDocument json = JsonDocument.Parse(File.ReadAllText(manifest));
            return new QuantizedWeights(path, json.RootElement, File.ReadAllBytes(path));
        }
        catch (Exception e)
            when (e is IOException or UnauthorizedAccessException or JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new CheckpointException($"The model cannot be read: {e.Message.TrimEnd('.')}", path, "Fetch both of its files again", e);
        }
    }

    /// <summary>Loads a network strictly, as float32.</summary>
    public static void LoadInto(Network network, string folder, string name)
    {
        using QuantizedWeights weights = Open(folder, name);
        StateDictLoader.Load(network.Parameters, weights);
        network.Arrange();
    }

    /// <inheritdoc/>
    public void Dispose() { }

    private sealed class Entry : TensorEntry
    {
        private readonly byte[] _bytes;
        private readonly int _offset,
            _count;
        private readonly long[] _stored;
        private readonly int[]? _order;
        private readonly (double Scale, double Min)? _line;

        public Entry(JsonElement json, byte[] bytes, int offset)
        {
            Name = json.GetProperty("name").GetString()!;
            _stored = [.. json.GetProperty("shape").EnumerateArray().Select(side => side.GetInt64())];
            (_bytes, _offset, _count) = (bytes, offset, checked((int)_stored.Aggregate(1L, (product, side) => checked(product * side))));
            if (json.TryGetProperty("quantization", out JsonElement line))
                _line = (line.GetProperty("scale").GetDouble(), line.GetProperty("min").GetDouble());
            if (_stored.Length == 4)
                _order = Name.EndsWith("depthwise_filter", StringComparison.Ordinal) ? [2, 3, 0, 1] : [3, 2, 0, 1];
        }

        public int End => checked(_offset + _count * (_line is null ? sizeof(float) : 1));

        public override string Name { get; }
        public override ScalarType Dtype => ScalarType.Float32;
        public override IReadOnlyList<long> Shape => _order is null ? _stored : [.. _order.Select(dimension => _stored[dimension])];

        public override Tensor Read(ScalarType? dtype = null)
        {
            using ComputeScope scope = new();
            float[] values = new float[_count];
            for (int i = 0; i < _count; i++)
                values[i] = _line is var (scale, min)
                    ? (float)(_bytes[_offset + i] * scale + min)
                    : BinaryPrimitives.ReadSingleLittleEndian(_bytes.AsSpan(_offset + i * sizeof(float)));
            // A copy: the array lies where the runtime put it, and how products round depends on the alignment of their factors.
            Tensor tensor = torch.tensor(values).reshape(_stored).clone();
            if (_order is not null)
                tensor = tensor.permute([.. _order.Select(dimension => (long)dimension)]).contiguous();
            return scope.Return(tensor.to(dtype ?? ScalarType.Float32));
        }
    }
}
