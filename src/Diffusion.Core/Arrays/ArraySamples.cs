using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using Diffusion.Runtime;

namespace Diffusion.Arrays;

/// <summary>Bytes of a file to tensors.</summary>
internal static class ArraySamples
{
    private const int ChunkBytes = 4 << 20;

    /// <summary>
    /// Reads an array from a stream's position. Memory is taken for bytes that are there, never for a size that is claimed.
    /// </summary>
    /// <returns>As <see cref="NumericArray.Values"/>; the caller owns it.</returns>
    /// <exception cref="ImageException">The stream is shorter than the layout says.</exception>
    public static Tensor Read(Stream stream, ArrayLayout layout, string where)
    {
        long bytes = layout.Count(where) * layout.Type.Size();
        if (!stream.CanSeek)
            return FromMemory(Gather(stream, bytes, layout, where), layout, where);
        return stream.Length - stream.Position >= bytes ? Decode(stream, layout, where) : throw Short(layout, where);
    }

    /// <summary>Reads an array that lies in memory.</summary>
    public static Tensor FromMemory(byte[] data, ArrayLayout layout, string where) => Read(new MemoryStream(data), layout, where);

    /// <summary>Reads a stream that cannot tell its length, to <paramref name="bytes"/> bytes at most.</summary>
    private static byte[] Gather(Stream stream, long bytes, ArrayLayout layout, string where)
    {
        if (bytes > Array.MaxLength)
            throw new ImageException(
                $"The compressed array has {bytes / 1e9:0.0} GB, more than are read from a compressed file",
                where,
                "Save it uncompressed, or a part of it"
            );
        MemoryStream memory = new();
        byte[] chunk = new byte[1 << 16];
        while (memory.Length < bytes)
        {
            int read = stream.Read(chunk, 0, (int)Math.Min(chunk.Length, bytes - memory.Length));
            if (read == 0)
                throw Short(layout, where);
            memory.Write(chunk, 0, read);
        }
        return memory.ToArray();
    }

    private static ImageException Short(ArrayLayout layout, string where) =>
        new(
            $"The file is shorter than its array of {ArrayLayout.Describe(layout.Shape)} {layout.Type.ToString().ToLowerInvariant()}",
            where,
            "Copy or write it again"
        );

    private static unsafe Tensor Decode(Stream stream, ArrayLayout layout, string where)
    {
        NativeLibraries.LoadTorch();
        long count = layout.Count(where);
        int parts = layout.Type.IsComplex() ? 2 : 1,
            size = layout.Type.Size();
        bool wide = layout.Type.Tensor() is ScalarType.Float64 or ScalarType.ComplexFloat64;
        using IDisposable noGrad = torch.no_grad();
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor flat = torch.empty([count * parts], wide ? ScalarType.Float64 : ScalarType.Float32);
        byte[] buffer = new byte[Math.Min(ChunkBytes, count * size)];
        void* target = count == 0 ? null : TensorData.Pointer(flat);
        for (long at = 0; at < count; )
        {
            int values = (int)Math.Min(count - at, buffer.Length / size);
            Span<byte> raw = buffer.AsSpan(0, values * size);
            stream.ReadExactly(raw);
            if (layout.BigEndian)
                Reverse(raw, size / parts);
            if (wide)
                Convert(raw, layout.Type, new Span<double>((double*)target + at * parts, values * parts));
            else
                Convert(raw, layout.Type, new Span<float>((float*)target + at * parts, values * parts));
            at += values;
        }
        if (parts == 2)
            flat = torch.view_as_complex(flat.reshape(count, 2));
        if (!layout.ColumnMajor || layout.Shape.Length < 2)
            return flat.reshape(layout.Shape).MoveToOuterDisposeScope();
        long[] axes = [.. Enumerable.Range(0, layout.Shape.Length).Reverse().Select(a => (long)a)];
        return flat.reshape([.. layout.Shape.Reverse()]).permute(axes).contiguous().MoveToOuterDisposeScope();
    }

    private static void Reverse(Span<byte> raw, int size)
    {
        switch (size)
        {
            case 2:
                Span<ushort> halves = MemoryMarshal.Cast<byte, ushort>(raw);
                BinaryPrimitives.ReverseEndianness(halves, halves);
                break;
            case 4:
                Span<uint> words = MemoryMarshal.Cast<byte, uint>(raw);
                BinaryPrimitives.ReverseEndianness(words, words);
                break;
            case 8:
                Span<ulong> longs = MemoryMarshal.Cast<byte, ulong>(raw);
                BinaryPrimitives.ReverseEndianness(longs, longs);
                break;
        }
    }

    private static void Convert<TTo>(ReadOnlySpan<byte> raw, SampleType type, Span<TTo> to)
        where TTo : INumber<TTo>
    {
        switch (type)
        {
            case SampleType.Bool:
                for (int i = 0; i < raw.Length; i++)
                    to[i] = raw[i] == 0 ? TTo.Zero : TTo.One;
                break;
            case SampleType.UInt8:
                Widen<byte, TTo>(raw, to);
                break;
            case SampleType.Int8:
                Widen<sbyte, TTo>(raw, to);
                break;
            case SampleType.UInt16:
                Widen<ushort, TTo>(raw, to);
                break;
            case SampleType.Int16:
                Widen<short, TTo>(raw, to);
                break;
            case SampleType.UInt32:
                Widen<uint, TTo>(raw, to);
                break;
            case SampleType.Int32:
                Widen<int, TTo>(raw, to);
                break;
            case SampleType.UInt64:
                Widen<ulong, TTo>(raw, to);
                break;
            case SampleType.Int64:
                Widen<long, TTo>(raw, to);
                break;
            case SampleType.Float16:
                Widen<Half, TTo>(raw, to);
                break;
            case SampleType.Float32 or SampleType.Complex64:
                Widen<float, TTo>(raw, to);
                break;
            default:
                Widen<double, TTo>(raw, to);
                break;
        }
    }

    private static void Widen<T, TTo>(ReadOnlySpan<byte> raw, Span<TTo> to)
        where T : unmanaged, INumber<T>
        where TTo : INumber<TTo>
    {
        ReadOnlySpan<T> from = MemoryMarshal.Cast<byte, T>(raw);
        for (int i = 0; i < from.Length; i++)
            to[i] = TTo.CreateTruncating(from[i]);
    }
}
