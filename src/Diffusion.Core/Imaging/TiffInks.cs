using Diffusion.Runtime;
using Vips = NetVips;

namespace Diffusion.Imaging;

/// <summary>Inks to sRGB by a colour profile, for pages that the codec library does not decode itself.</summary>
internal static class TiffInks
{
    /// <summary>Converts cyan, magenta, yellow and black.</summary>
    /// <param name="inks">[1,4,H,W] on [0,1]; borrowed.</param>
    /// <param name="profile">The file's own profile; null for the library's.</param>
    /// <returns>[1,3,H,W] float32; the caller owns it.</returns>
    public static Tensor ToSrgb(Tensor inks, byte[]? profile)
    {
        CodecLibrary.Load();
        using DisposeScope scope = torch.NewDisposeScope();
        (int height, int width) = ((int)inks.shape[2], (int)inks.shape[3]);
        byte[] samples = (inks[0].permute(1, 2, 0) * 255).round().to(ScalarType.Byte).contiguous().bytes.ToArray();
        using Vips.Image plain = Vips.Image.NewFromMemory(samples, width, height, 4, Vips.Enums.BandFormat.Uchar);
        using Vips.Image meant = plain.Copy(interpretation: Vips.Enums.Interpretation.Cmyk);
        bool fits = profile is not null && ColorProfile.Fits(profile, 4);
        using Vips.Image tagged = fits ? meant.Mutate(m => m.Set(Vips.GValue.BlobType, "icc-profile-data", profile!)) : meant.Copy();
        using Vips.Image color = tagged.IccTransform(
            "srgb",
            intent: Vips.Enums.Intent.Relative,
            embedded: fits,
            inputProfile: "cmyk",
            depth: 16
        );
        ushort[] values = color.WriteToMemory<ushort>();
        Tensor pixels = torch.tensor(Array.ConvertAll(values, v => v / 65535f)).reshape(height, width, color.Bands);
        return pixels.permute(2, 0, 1).unsqueeze(0).contiguous().MoveToOuterDisposeScope();
    }
}
