using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;
using Diffusion.Imaging;
using Diffusion.Runtime;

namespace Diffusion.Checkpoints;

/// <summary>Writes safetensors files: under a temporary name, flushed, renamed; tensor by tensor.</summary>
public static class SafetensorsWriter
{
    /// <summary>Writes tensors from memory.</summary>
    /// <param name="path">The file; its folder is made.</param>
    /// <param name="tensors">Tensors of any shape [...] by name, on any device; borrowed.</param>
    /// <param name="metadata">Text to keep beside them.</param>
    /// <param name="dtype">Converts floating-point tensors; null keeps each one's dtype.</param>
    /// <param name="overwrite">Whether an existing file is replaced.</param>
    /// <exception cref="CheckpointException">The file cannot be written.</exception>
    public static void Write(
        string path,
        IEnumerable<KeyValuePair<string, Tensor>> tensors,
        IReadOnlyDictionary<string, string>? metadata = null,
        ScalarType? dtype = null,
        bool overwrite = true
    ) => Write(path, tensors.Select(TensorEntry (pair) => new MemoryEntry(pair.Key, pair.Value)), metadata, dtype, overwrite);

    /// <summary>Writes entries of another checkpoint; no more than one tensor is in memory at a time.</summary>
    /// <param name="path">The file; its folder is made.</param>
    /// <param name="tensors">What to write; names must differ.</param>
    /// <param name="metadata">Text to keep beside them.</param>
    /// <param name="dtype">Converts floating-point tensors; null keeps each one's dtype.</param>
    /// <param name="overwrite">Whether an existing file is replaced.</param>
    /// <exception cref="CheckpointException">The file cannot be written, or a tensor cannot be read.</exception>
    public static void Write(
        string path,
        IEnumerable<TensorEntry> tensors,
        IReadOnlyDictionary<string, string>? metadata = null,
        ScalarType? dtype = null,
        bool overwrite = true
    )
    {
        // The reference implementation's order: widest dtype first, so that every tensor is aligned.
        (TensorEntry Entry, ScalarType Dtype)[] ordered =
        [
            .. tensors
                .Select(entry => (Entry: entry, Dtype: dtype is { } wanted && Dtypes.IsFloat(entry.Dtype) ? wanted : entry.Dtype))
                .OrderByDescending(item => Dtypes.Size(item.Dtype))
                .ThenBy(item => item.Entry.Name, StringComparer.Ordinal),
        ];
        byte[] header = Header(ordered, metadata ?? new Dictionary<string, string>());
        try
        {
            OutputFile.Write(path, overwrite, stream => WriteAll(stream, header, ordered));
        }
        catch (ImageException e)
        {
            throw new CheckpointException(e.What, e.Where, e.Remedy, e);
        }
    }

    private static void WriteAll(Stream stream, byte[] header, IEnumerable<(TensorEntry Entry, ScalarType Dtype)> tensors)
    {
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        stream.Write(length);
        stream.Write(header);
        foreach ((TensorEntry entry, ScalarType dtype) in tensors)
        {
            using Tensor values = entry.Read(dtype);
            if (dtype != entry.Dtype)
                CheckConverted(values, entry);
            for (long done = 0, size = TensorMemory.Length(values); done < size; )
            {
                ReadOnlySpan<byte> piece = TensorMemory.From(values, done);
                stream.Write(piece);
                done += piece.Length;
            }
        }
    }

    // float16 ends at 65504.
    private static void CheckConverted(Tensor values, TensorEntry entry)
    {
        using Tensor finite = values.isfinite().all();
        if (!finite.item<bool>())
            throw new CheckpointException(
                $"Tensor \"{Printable.Shorten(entry.Name)}\" holds NaN or infinity as {Dtypes.Name(values.dtype)}",
                remedy: "Convert to bfloat16 or keep the dtype"
            );
    }

    private static byte[] Header(IEnumerable<(TensorEntry Entry, ScalarType Dtype)> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        const int Alignment = 8;
        using MemoryStream header = new();
        using (Utf8JsonWriter json = new(header, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            if (metadata.Count > 0)
            {
                json.WriteStartObject("__metadata__");
                foreach ((string key, string value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                    json.WriteString(key, value);
                json.WriteEndObject();
            }
            HashSet<string> names = ["__metadata__"];
            long offset = 0;
            foreach ((TensorEntry entry, ScalarType dtype) in tensors)
            {
                if (!names.Add(entry.Name))
                    throw new ArgumentException($"Two tensors are called \"{entry.Name}\", or one has the reserved name. Rename one.");
                long end = offset + (Dtypes.Size(dtype) * entry.Shape.Aggregate(1L, (product, size) => product * size));
                WriteSlot(json, entry.Name, Dtypes.ToSafetensors(dtype), entry.Shape, offset, end);
                offset = end;
            }
            json.WriteEndObject();
        }
        while (header.Length % Alignment != 0)
            header.WriteByte((byte)' ');
        return header.ToArray();
    }

    private static void WriteSlot(Utf8JsonWriter json, string name, string dtype, IReadOnlyList<long> shape, long begin, long end)
    {
        json.WriteStartObject(name);
        json.WriteString("dtype", dtype);
        json.WriteStartArray("shape");
        foreach (long size in shape)
            json.WriteNumberValue(size);
        json.WriteEndArray();
        json.WriteStartArray("data_offsets");
        json.WriteNumberValue(begin);
        json.WriteNumberValue(end);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private sealed class MemoryEntry(string name, Tensor values) : TensorEntry
    {
        public override string Name => name;
        public override ScalarType Dtype => values.dtype;
        public override IReadOnlyList<long> Shape => values.shape;

        public override Tensor Read(ScalarType? dtype = null)
        {
            using ComputeScope scope = new();
            return scope.Return(values.detach().cpu().to(dtype ?? values.dtype).contiguous().alias());
        }
    }
}
