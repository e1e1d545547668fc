using System.Buffers.Binary;
using Diffusion.Runtime;

namespace Diffusion.Checkpoints;

/// <summary>A safetensors file: header checked when opened, tensors read by positioned reads when asked for.</summary>
internal sealed class SafetensorsCheckpoint : ICheckpoint
{
    private readonly CheckpointFile _file;
    private readonly Dictionary<string, TensorEntry> _tensors;

    /// <summary>Reads the header; takes ownership of <paramref name="file"/> if it succeeds.</summary>
    public SafetensorsCheckpoint(CheckpointFile file)
    {
        _file = file;
        SafetensorsHeader header = ReadHeader(file, out long dataStart);
        Metadata = header.Metadata;
        _tensors = header.Slots.Values.ToDictionary(
            slot => slot.Name,
            TensorEntry (slot) => new Entry(slot, new FileRange(file, dataStart + slot.Begin))
        );
    }

    /// <inheritdoc/>
    public string Path => _file.Path;

    /// <inheritdoc/>
    public string Format => "safetensors";

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, TensorEntry> Tensors => _tensors;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static SafetensorsHeader ReadHeader(CheckpointFile file, out long dataStart)
    {
        const string Remedy = "It is truncated or no safetensors file; fetch it again";
        if (file.Length < 8)
            throw new CheckpointException("The file is too short for a safetensors header", file.Path, Remedy);
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(file.ReadBytes(0, 8));
        if (length == 0)
            throw new CheckpointException("The safetensors header is empty", file.Path, Remedy);
        if (length > (ulong)(file.Length - 8))
            throw new CheckpointException($"The safetensors header claims {length} bytes, beyond the end of the file", file.Path, Remedy);
        if (length > SafetensorsHeader.MaxLength)
            throw new CheckpointException(
                $"The safetensors header of {length} bytes is over the limit of {SafetensorsHeader.MaxLength}",
                file.Path,
                Remedy
            );
        dataStart = 8 + (long)length;
        return SafetensorsHeader.Parse(file.ReadBytes(8, (long)length), file.Length - dataStart, file.Path);
    }

    private sealed class Entry(SafetensorsSlot slot, FileRange bytes) : TensorEntry
    {
        public override string Name => slot.Name;
        public override ScalarType Dtype => slot.Dtype;
        public override IReadOnlyList<long> Shape => slot.Shape;

        public override Tensor Read(ScalarType? dtype = null) => TensorReader.Read(bytes, 0, slot.Shape, null, slot.Dtype, dtype);
    }
}
