using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using Diffusion.Runtime;

namespace Diffusion.Arrays;

/// <summary>NumPy's .npy files, and .npz: several of them in a zip file. Nothing in a file is executed.</summary>
internal static partial class NpyFormat
{
    private const int LongestHeader = 1 << 20;

    /// <summary>The first bytes of a .npy file.</summary>
    public static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>Reads the array at a stream's position.</summary>
    /// <exception cref="ImageException">Damaged, of a type that is no number, or shorter than its shape.</exception>
    public static NumericArray Read(Stream stream, string where)
    {
        ImageException Bad(string what) => new(what, where, "Write it with numpy.save, as an array of numbers");
        Span<byte> start = stackalloc byte[12];
        if (stream.ReadAtLeast(start[..8], 8, throwOnEndOfStream: false) < 8 || !start.StartsWith(Magic))
            throw Bad("This is no NumPy array");
        int lengthBytes = start[6] == 1 ? 2 : 4;
        if (stream.ReadAtLeast(start.Slice(8, lengthBytes), lengthBytes, throwOnEndOfStream: false) < lengthBytes)
            throw Bad("The file ends within its header");
        long length =
            lengthBytes == 2 ? BinaryPrimitives.ReadUInt16LittleEndian(start[8..]) : BinaryPrimitives.ReadUInt32LittleEndian(start[8..]);
        if (length > LongestHeader)
            throw Bad($"The array's header claims {length} bytes");
        byte[] text = new byte[length];
        if (stream.ReadAtLeast(text, text.Length, throwOnEndOfStream: false) < text.Length)
            throw Bad("The file ends within its header");
        string header = Encoding.Latin1.GetString(text);
        Match type = Descr().Match(header),
            order = Order().Match(header),
            shape = Shape().Match(header);
        if (!type.Success && header.Contains("'descr': [", StringComparison.Ordinal))
            throw Bad("The array holds records, not numbers");
        if (!type.Success || !order.Success || !shape.Success)
            throw Bad("The array's header is not understood");
        long[] sizes =
        [
            .. shape
                .Groups[1]
                .Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(size =>
                    long.TryParse(size.TrimEnd('L'), NumberStyles.None, CultureInfo.InvariantCulture, out long n)
                        ? n
                        : throw Bad("The array's shape is not understood")
                ),
        ];
        ArrayLayout layout = new(
            TypeOf(type.Groups[2].Value) ?? throw Bad($"The array's values are of the type \"{type.Groups[1].Value}\", which is no number"),
            sizes,
            type.Groups[1].Value[0] == '>',
            order.Groups[1].Value == "True"
        );
        return new NumericArray(ArraySamples.Read(stream, layout, where), layout.Type);
    }

    /// <summary>Reads one array of a .npz file.</summary>
    /// <param name="stream">Seekable; borrowed.</param>
    /// <param name="key">The array's name; null takes the only one.</param>
    /// <param name="where">For error messages.</param>
    /// <exception cref="ImageException">Damaged, no such array, or several and no name.</exception>
    public static NumericArray ReadZip(Stream stream, string? key, string where)
    {
        try
        {
            using ZipArchive zip = new(stream, ZipArchiveMode.Read, leaveOpen: true);
            ZipArchiveEntry[] entries = [.. zip.Entries.Where(e => e.FullName.EndsWith(".npy", StringComparison.Ordinal))];
            string[] names = [.. entries.Select(e => e.FullName[..^4])];
            int index = ArrayNames.Choose(names, key, where);
            using Stream content = entries[index].Open();
            return Read(content, $"{where}, {names[index]}") with { Name = names[index] };
        }
        catch (Exception exception) when (exception is InvalidDataException or NotSupportedException or EndOfStreamException)
        {
            throw new ImageException("The .npz file is damaged", where, "Copy or write it again", exception);
        }
    }

    private static SampleType? TypeOf(string code) =>
        code switch
        {
            "b1" => SampleType.Bool,
            "c8" => SampleType.Complex64,
            "c16" => SampleType.Complex128,
            ['u', var n] => SampleTypes.Integer(n - '0', signed: false),
            ['i', var n] => SampleTypes.Integer(n - '0', signed: true),
            ['f', var n] => SampleTypes.Float(n - '0'),
            _ => null,
        };

    [GeneratedRegex(@"'descr':\s*'([<>|=]?([^']*))'")]
    private static partial Regex Descr();

    [GeneratedRegex(@"'fortran_order':\s*(True|False)")]
    private static partial Regex Order();

    [GeneratedRegex(@"'shape':\s*\(([^)]*)\)")]
    private static partial Regex Shape();
}
