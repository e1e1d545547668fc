namespace Diffusion.Checkpoints;

/// <summary>Names and sizes of the dtypes that weight files hold.</summary>
internal static class Dtypes
{
    private static readonly (string Safetensors, string Common, ScalarType Type, int Size)[] Known =
    [
        ("F64", "float64", ScalarType.Float64, 8),
        ("F32", "float32", ScalarType.Float32, 4),
        ("F16", "float16", ScalarType.Float16, 2),
        ("BF16", "bfloat16", ScalarType.BFloat16, 2),
        ("I64", "int64", ScalarType.Int64, 8),
        ("I32", "int32", ScalarType.Int32, 4),
        ("I16", "int16", ScalarType.Int16, 2),
        ("I8", "int8", ScalarType.Int8, 1),
        ("U8", "uint8", ScalarType.Byte, 1),
        ("BOOL", "bool", ScalarType.Bool, 1),
    ];

    /// <summary>The dtype that safetensors calls <paramref name="name"/>; null when there is none that tensors can have here.</summary>
    public static ScalarType? FromSafetensors(string name)
    {
        foreach (var known in Known)
            if (known.Safetensors == name)
                return known.Type;
        return null;
    }

    /// <summary>The name in safetensors files.</summary>
    public static string ToSafetensors(ScalarType type) => Find(type).Safetensors;

    /// <summary>The usual name, for example <c>bfloat16</c>.</summary>
    public static string Name(ScalarType type) => Find(type).Common;

    /// <summary>Bytes per element.</summary>
    public static int Size(ScalarType type) => Find(type).Size;

    /// <summary>Whether it is a floating-point type, the only kind that is converted.</summary>
    public static bool IsFloat(ScalarType type) =>
        type is ScalarType.Float64 or ScalarType.Float32 or ScalarType.Float16 or ScalarType.BFloat16;

    private static (string Safetensors, string Common, ScalarType Type, int Size) Find(ScalarType type)
    {
        foreach (var known in Known)
            if (known.Type == type)
                return known;
        throw new ArgumentException($"Tensors of type {type} cannot be kept in weight files. Convert to float32 first.");
    }
}
