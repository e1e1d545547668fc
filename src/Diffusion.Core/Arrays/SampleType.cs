namespace Diffusion.Arrays;

/// <summary>The number types that files hold.</summary>
public enum SampleType
{
    /// <summary>Truth values of one byte.</summary>
    Bool,

    /// <summary>Unsigned, 8 bits.</summary>
    UInt8,

    /// <summary>Signed, 8 bits.</summary>
    Int8,

    /// <summary>Unsigned, 16 bits.</summary>
    UInt16,

    /// <summary>Signed, 16 bits.</summary>
    Int16,

    /// <summary>Unsigned, 32 bits.</summary>
    UInt32,

    /// <summary>Signed, 32 bits.</summary>
    Int32,

    /// <summary>Unsigned, 64 bits.</summary>
    UInt64,

    /// <summary>Signed, 64 bits.</summary>
    Int64,

    /// <summary>IEEE half precision.</summary>
    Float16,

    /// <summary>IEEE single precision.</summary>
    Float32,

    /// <summary>IEEE double precision.</summary>
    Float64,

    /// <summary>Two single-precision parts.</summary>
    Complex64,

    /// <summary>Two double-precision parts.</summary>
    Complex128,
}

/// <summary>Sizes and tensors of the number types.</summary>
public static class SampleTypes
{
    /// <summary>Bytes of one value.</summary>
    public static int Size(this SampleType type) =>
        type switch
        {
            SampleType.Bool or SampleType.UInt8 or SampleType.Int8 => 1,
            SampleType.UInt16 or SampleType.Int16 or SampleType.Float16 => 2,
            SampleType.UInt32 or SampleType.Int32 or SampleType.Float32 => 4,
            SampleType.Complex128 => 16,
            _ => 8,
        };

    /// <summary>Whether values have a real and an imaginary part.</summary>
    public static bool IsComplex(this SampleType type) => type is SampleType.Complex64 or SampleType.Complex128;

    /// <summary>Whether values are whole numbers.</summary>
    public static bool IsInteger(this SampleType type) => type is >= SampleType.UInt8 and <= SampleType.Int64;

    /// <summary>The narrower of float32 and float64 that holds every value; 64-bit integers are rounded.</summary>
    internal static ScalarType Tensor(this SampleType type) =>
        type switch
        {
            SampleType.Complex64 => ScalarType.ComplexFloat32,
            SampleType.Complex128 => ScalarType.ComplexFloat64,
            SampleType.UInt32 or SampleType.Int32 or SampleType.UInt64 or SampleType.Int64 or SampleType.Float64 => ScalarType.Float64,
            _ => ScalarType.Float32,
        };

    /// <summary>The integer type of a width; null where there is none.</summary>
    internal static SampleType? Integer(int bytes, bool signed) =>
        (bytes, signed) switch
        {
            (1, false) => SampleType.UInt8,
            (1, true) => SampleType.Int8,
            (2, false) => SampleType.UInt16,
            (2, true) => SampleType.Int16,
            (4, false) => SampleType.UInt32,
            (4, true) => SampleType.Int32,
            (8, false) => SampleType.UInt64,
            (8, true) => SampleType.Int64,
            _ => null,
        };

    /// <summary>The float type of a width; null where there is none.</summary>
    internal static SampleType? Float(int bytes) =>
        bytes switch
        {
            2 => SampleType.Float16,
            4 => SampleType.Float32,
            8 => SampleType.Float64,
            _ => null,
        };
}
