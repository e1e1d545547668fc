using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Diffusion.Arrays;

namespace Diffusion.Imaging;

/// <summary>Writes FITS: one unit, colours as three planes, rows in the order of the tensor.</summary>
internal static class FitsWriter
{
    /// <summary>Writes a picture.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="pixels">[1,C,H,W] or [C,H,W] on [0,1]; borrowed.</param>
    /// <param name="kept">Further cards of the header.</param>
    /// <param name="bits">8, 16 (unsigned, by BZERO) or 32 (float, never clipped).</param>
    public static void Write(Stream stream, Tensor pixels, int bits, IReadOnlyList<string> kept)
    {
        using IDisposable noGrad = torch.no_grad();
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor planes = pixels.reshape(pixels.shape[^3..]).detach().cpu().to(ScalarType.Float32);
        float[] values = planes.contiguous().data<float>().ToArray();
        (long channels, long height, long width) = (planes.shape[0], planes.shape[1], planes.shape[2]);
        List<string> cards =
        [
            Card("SIMPLE", "T"),
            Card("BITPIX", bits == 32 ? "-32" : $"{bits}"),
            Card("NAXIS", channels == 1 ? "2" : "3"),
            Card("NAXIS1", $"{width}"),
            Card("NAXIS2", $"{height}"),
        ];
        if (channels > 1)
            cards.Add(Card("NAXIS3", $"{channels}"));
        if (bits == 16)
            cards.AddRange([Card("BZERO", "32768"), Card("BSCALE", "1")]);
        cards.AddRange(kept);
        cards.Add("END".PadRight(80));
        Pad(stream, Encoding.Latin1.GetBytes(string.Concat(cards)), (byte)' ');
        Pad(stream, Samples(values, bits), 0);
    }

    private static string Card(string keyword, string value) =>
        string.Create(CultureInfo.InvariantCulture, $"{keyword, -8}= {value, 20}").PadRight(80);

    private static byte[] Samples(float[] values, int bits)
    {
        if (bits == 8)
            return Array.ConvertAll(values, v => (byte)Math.Round(Math.Clamp(v, 0, 1) * byte.MaxValue));
        byte[] bytes = new byte[values.Length * (bits / 8)];
        for (int i = 0; i < values.Length; i++)
        {
            if (bits == 32)
                BinaryPrimitives.WriteSingleBigEndian(bytes.AsSpan(4 * i), values[i]);
            else
                BinaryPrimitives.WriteInt16BigEndian(
                    bytes.AsSpan(2 * i),
                    (short)(Math.Round(Math.Clamp(values[i], 0, 1) * ushort.MaxValue) - 32768)
                );
        }
        return bytes;
    }

    private static void Pad(Stream stream, byte[] content, byte filler)
    {
        stream.Write(content);
        byte[] rest = new byte[(FitsHeader.Block - content.Length % FitsHeader.Block) % FitsHeader.Block];
        Array.Fill(rest, filler);
        stream.Write(rest);
    }
}
