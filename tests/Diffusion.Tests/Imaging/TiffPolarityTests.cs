using System.Buffers.Binary;
using Diffusion.Imaging;

namespace Diffusion.Tests.Imaging;

/// <summary>TIFF says whether zero is black or white; pictures come with zero as black.</summary>
public sealed class TiffPolarityTests : PictureFixture
{
    [Theory]
    [InlineData(8, 0)]
    [InlineData(8, 1)]
    [InlineData(16, 0)]
    [InlineData(16, 1)]
    [InlineData(32, 0)]
    public void Zero_is_what_the_file_says(int bits, ushort photometric)
    {
        double[] written = [0, 0.2, 0.4, 1];
        File.WriteAllBytes(At("a.tif"), Tiff(bits, photometric, written));
        using Picture picture = ImageFile.Read(At("a.tif"));
        using Tensor expected = torch
            .tensor([.. written.Select(v => photometric == 0 ? 1 - v : v)], dtype: ScalarType.Float32)
            .reshape(1, 1, 1, written.Length);
        AssertNear(expected, picture.Pixels, 1e-6);
    }

    /// <summary>One row of unsigned samples, little-endian, uncompressed.</summary>
    private static byte[] Tiff(int bits, ushort photometric, double[] row)
    {
        byte[] pixels =
        [
            .. row.SelectMany(v =>
            {
                byte[] sample = new byte[8];
                BinaryPrimitives.WriteUInt64LittleEndian(sample, (ulong)Math.Round(v * ((1UL << bits) - 1)));
                return sample.Take(bits / 8);
            }),
        ];
        (ushort Tag, ushort Type, uint Value)[] tags =
        [
            (256, 4, (uint)row.Length),
            (257, 4, 1),
            (258, 3, (uint)bits),
            (259, 3, 1),
            (262, 3, photometric),
            (273, 4, 8),
            (277, 3, 1),
            (278, 4, 1),
            (279, 4, (uint)pixels.Length),
        ];
        using MemoryStream stream = new();
        using BinaryWriter writer = new(stream);
        writer.Write("II*\0"u8);
        writer.Write(8 + pixels.Length);
        writer.Write(pixels);
        writer.Write((ushort)tags.Length);
        foreach ((ushort tag, ushort type, uint value) in tags)
        {
            writer.Write(tag);
            writer.Write(type);
            writer.Write(1u);
            writer.Write(value);
        }
        writer.Write(0u);
        return stream.ToArray();
    }
}
