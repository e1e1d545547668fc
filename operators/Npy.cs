using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Diffusion.Runtime;

namespace Diffusion.Operators;

/// <summary>
/// Reads NumPy's .npy files: real numbers and truth values of any size, in C or Fortran order. Nothing in a file is executed.
/// </summary>
internal static partial class Npy
{
    /// <summary>The array as float64 on the CPU; the caller owns it.</summary>
    /// <exception cref="OperatorSpecException">
    /// The file is missing, damaged, of a dtype that is no real number, or shorter than its shape.
    /// </exception>
    public static Tensor Read(string path)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw new OperatorSpecException("The file cannot be read: " + failed.Message.TrimEnd('.'), path, null, failed);
        }
        OperatorSpecException Bad(string what) => new(what, path, "Write it with numpy.save, as an array of numbers");
        if (bytes.Length < 12 || bytes[0] != 0x93 || !bytes.AsSpan(1, 5).SequenceEqual("NUMPY"u8))
            throw Bad("This is no .npy file");
        int prefix = bytes[6] == 1 ? 10 : 12;
        long headerLength = bytes[6] == 1 ? BitConverter.ToUInt16(bytes, 8) : BitConverter.ToUInt32(bytes, 8);
        if (prefix + headerLength > bytes.Length)
            throw Bad("The file ends within its header");
        string header = Encoding.Latin1.GetString(bytes, prefix, (int)headerLength);
        Match descr = Descr().Match(header),
            order = Order().Match(header),
            shape = Shape().Match(header);
        if (!descr.Success || !order.Success || !shape.Success)
            throw Bad("The file's header is not understood");
        long[] dims =
        [
            .. shape
                .Groups[1]
                .Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(d =>
                    long.TryParse(d, NumberStyles.None, CultureInfo.InvariantCulture, out long n)
                        ? n
                        : throw Bad("The file's shape is not understood")
                ),
        ];
        (int size, Func<byte[], int, double> read) = descr.Groups[1].Value switch
        {
            "<f8" => (8, BitConverter.ToDouble),
            "<f4" => (4, (Func<byte[], int, double>)((b, at) => BitConverter.ToSingle(b, at))),
            "<f2" => (2, (b, at) => (double)BitConverter.ToHalf(b, at)),
            "<i8" => (8, (b, at) => BitConverter.ToInt64(b, at)),
            "<i4" => (4, (b, at) => BitConverter.ToInt32(b, at)),
            "<i2" => (2, (b, at) => BitConverter.ToInt16(b, at)),
            "|u1" or "|b1" => (1, (b, at) => b[at]),
            "|i1" => (1, (b, at) => (sbyte)b[at]),
            string other => throw Bad($"The dtype {other} is no real number in little-endian order"),
        };
        long data = prefix + headerLength,
            count = 1;
        foreach (long d in dims)
        {
            if (d > 0 && count > bytes.Length / d)
                throw Bad("The file is shorter than its shape says");
            count *= d;
        }
        if (data + count * size > bytes.Length)
            throw Bad("The file is shorter than its shape says");
        double[] values = new double[count];
        for (int i = 0; i < count; i++)
            values[i] = read(bytes, (int)data + i * size);
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor flat = torch.tensor(values, dtype: ScalarType.Float64);
        bool fortran = order.Groups[1].Value == "True" && dims.Length > 1;
        Tensor array = fortran
            ? flat.reshape([.. dims.Reverse()]).permute([.. Enumerable.Range(0, dims.Length).Reverse().Select(d => (long)d)])
            : flat.reshape(dims);
        return array.contiguous().MoveToOuterDisposeScope();
    }

    [GeneratedRegex(@"'descr':\s*'([^']*)'")]
    private static partial Regex Descr();

    [GeneratedRegex(@"'fortran_order':\s*(True|False)")]
    private static partial Regex Order();

    [GeneratedRegex(@"'shape':\s*\(([^)]*)\)")]
    private static partial Regex Shape();
}
