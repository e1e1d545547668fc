using System.Text.Json;
using System.Text.Unicode;
using Diffusion.Runtime;

namespace Diffusion.Checkpoints;

/// <summary>One entry of a safetensors header, offsets counted from the first byte after the header.</summary>
internal sealed record SafetensorsSlot(string Name, ScalarType Dtype, long[] Shape, long Begin, long End);

/// <summary>The table of contents of a safetensors file: 8 bytes little-endian length, then JSON.</summary>
/// <remarks>Everything is checked: tensors must tile the rest of the file without overlap, hole or surplus.</remarks>
internal sealed class SafetensorsHeader
{
    /// <summary>The reference implementation's limit.</summary>
    public const long MaxLength = 100_000_000;

    private readonly string _path;
    private readonly Dictionary<string, string> _metadata = [];
    private readonly Dictionary<string, SafetensorsSlot> _slots = [];

    private SafetensorsHeader(string path) => _path = path;

    /// <summary>The entries by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsSlot> Slots => _slots;

    /// <summary>The entry <c>__metadata__</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <summary>Parses and checks the JSON part.</summary>
    /// <param name="json">The header without its length.</param>
    /// <param name="dataLength">Bytes that follow it.</param>
    /// <param name="path">For messages.</param>
    /// <exception cref="CheckpointException">Whatever is wrong with it.</exception>
    public static SafetensorsHeader Parse(ReadOnlySpan<byte> json, long dataLength, string path)
    {
        SafetensorsHeader header = new(path);
        if (!Utf8.IsValid(json))
            throw header.Bad("The safetensors header is not UTF-8");
        if (json.Length == 0 || json[0] != (byte)'{')
            throw header.Bad("The safetensors header is not a JSON object");
        try
        {
            header.ReadEntries(new Utf8JsonReader(json));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw header.Bad("The safetensors header is not valid JSON", e);
        }
        header.CheckTiling(dataLength);
        return header;
    }

    private void ReadEntries(Utf8JsonReader json)
    {
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            string name = json.GetString()!;
            json.Read();
            if (json.TokenType != JsonTokenType.StartObject)
                throw Bad($"Entry {Quote(name)} is not an object");
            if (name == "__metadata__")
                ReadMetadata(ref json);
            else if (!_slots.TryAdd(name, ReadSlot(ref json, name)))
                throw Bad($"Duplicate tensor name {Quote(name)}");
        }
        while (json.Read()) { }
    }

    private void ReadMetadata(ref Utf8JsonReader json)
    {
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            string key = json.GetString()!;
            json.Read();
            if (json.TokenType != JsonTokenType.String)
                throw Bad($"Metadata {Quote(key)} is not a string");
            if (!_metadata.TryAdd(key, json.GetString()!))
                throw Bad($"Duplicate metadata key {Quote(key)}");
        }
    }

    private SafetensorsSlot ReadSlot(ref Utf8JsonReader json, string name)
    {
        string? dtype = null;
        long[]? shape = null,
            offsets = null;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            string field = json.GetString()!;
            json.Read();
            switch (field)
            {
                case "dtype" when dtype is null && json.TokenType == JsonTokenType.String:
                    dtype = json.GetString();
                    break;
                case "shape" when shape is null:
                    shape = ReadNumbers(ref json, name, "size");
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ReadNumbers(ref json, name, "offset");
                    break;
                case "dtype" or "shape" or "data_offsets":
                    throw Bad($"Field {field} of tensor {Quote(name)} is malformed or given twice");
                default:
                    json.Skip();
                    break;
            }
        }
        if (dtype is null || shape is null || offsets is not [long begin, long end])
            throw Bad($"Tensor {Quote(name)} needs dtype, shape and two data_offsets");
        if (begin > end)
            throw Bad($"Tensor {Quote(name)} begins after its end");
        ScalarType type = Dtypes.FromSafetensors(dtype) ?? throw UnknownDtype(name, dtype);
        long elements = TensorLayout.ElementCount(shape) ?? throw Bad($"The shape of tensor {Quote(name)} overflows");
        if (elements > long.MaxValue / 8 || elements * Dtypes.Size(type) != end - begin)
            throw Bad(
                $"Shape and offsets of tensor {Quote(name)} disagree: [{string.Join(", ", shape)}] of {dtype} does not take "
                    + $"{end - begin} bytes"
            );
        return new SafetensorsSlot(name, type, shape, begin, end);
    }

    private long[] ReadNumbers(ref Utf8JsonReader json, string name, string what)
    {
        if (json.TokenType != JsonTokenType.StartArray)
            throw Bad($"The {what}s of tensor {Quote(name)} are not a list");
        List<long> numbers = [];
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (json.TokenType != JsonTokenType.Number || !json.TryGetInt64(out long number))
                throw Bad($"A {what} of tensor {Quote(name)} is not a whole number in range");
            if (number < 0)
                throw Bad($"Negative {what} in tensor {Quote(name)}");
            numbers.Add(number);
        }
        return [.. numbers];
    }

    private void CheckTiling(long dataLength)
    {
        long position = 0;
        string previous = "the header";
        foreach (SafetensorsSlot slot in _slots.Values.OrderBy(slot => slot.Begin).ThenBy(slot => slot.End))
        {
            if (slot.End > dataLength)
                throw Bad($"Tensor {Quote(slot.Name)} ends at offset {slot.End}, beyond the file's {dataLength} bytes of data");
            if (slot.Begin < position)
                throw Bad($"Overlapping tensors {previous} and {Quote(slot.Name)}");
            if (slot.Begin > position)
                throw Bad($"A hole of {slot.Begin - position} bytes lies between {previous} and tensor {Quote(slot.Name)}");
            position = slot.End;
            previous = Quote(slot.Name);
        }
        if (position != dataLength)
            throw Bad($"{dataLength - position} bytes follow after the last tensor");
    }

    private CheckpointException UnknownDtype(string name, string dtype) =>
        dtype switch
        {
            _ when dtype.StartsWith("F8", StringComparison.Ordinal)
                    || dtype.StartsWith("F4", StringComparison.Ordinal)
                    || dtype.StartsWith("F6", StringComparison.Ordinal) => new(
                $"Tensor {Quote(name)} is quantised to {dtype}, which is not supported",
                _path,
                "Use the published float16, bfloat16 or float32 file"
            ),
            "U16" or "U32" or "U64" or "C64" => new(
                $"Tensor {Quote(name)} is of dtype {dtype}, which is not supported",
                _path,
                "Convert it to a signed or floating-point type"
            ),
            _ => Bad($"Tensor {Quote(name)} is of unknown dtype {Quote(dtype)}"),
        };

    private CheckpointException Bad(string what, Exception? inner = null) => new(what, _path, "The file is damaged; fetch it again", inner);

    private static string Quote(string name) => $"\"{Printable.Shorten(name)}\"";
}
