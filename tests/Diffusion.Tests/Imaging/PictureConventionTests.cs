using System.Buffers.Binary;
using Diffusion.Imaging;
using Vips = NetVips;

namespace Diffusion.Tests.Imaging;

/// <summary>What a file says of its pixels is followed: orientation, inks, profiles, palettes, animation, transparency.</summary>
public sealed class PictureConventionTests : PictureFixture
{
    [Theory]
    [InlineData(1), InlineData(2), InlineData(3), InlineData(4), InlineData(5), InlineData(6), InlineData(7), InlineData(8)]
    public void Exif_orientation_is_applied(int orientation)
    {
        Tensor stored = Ramp(3, 5, 7);
        SaveOriented(stored, orientation);
        (int h, int w) = (5, 7);
        // Where the upright pixel (r, c) lies in the file, from the EXIF standard's description of row 0 and column 0.
        Func<int, int, (int, int)> source = orientation switch
        {
            1 => (r, c) => (r, c),
            2 => (r, c) => (r, w - 1 - c),
            3 => (r, c) => (h - 1 - r, w - 1 - c),
            4 => (r, c) => (h - 1 - r, c),
            5 => (r, c) => (c, r),
            6 => (r, c) => (h - 1 - c, r),
            7 => (r, c) => (h - 1 - c, w - 1 - r),
            _ => (r, c) => (c, w - 1 - r),
        };
        using Picture picture = ImageFile.Read(At("a.tif"));
        bool turned = orientation >= 5;
        Assert.Equal((turned ? w : h, turned ? h : w), (picture.Height, picture.Width));
        for (int r = 0; r < picture.Height; r++)
        for (int c = 0; c < picture.Width; c++)
        {
            (int y, int x) = source(r, c);
            Assert.Equal(stored[0, 1, y, x].item<float>(), picture.Pixels[0, 1, r, c].item<float>());
        }
        using RegionReader reader = ImageFile.OpenRegions(At("a.tif"));
        using Tensor region = reader.Read(1, 2, picture.Width - 2, picture.Height - 3);
        AssertEqual(picture.Pixels.narrow(3, 1, picture.Width - 2).narrow(2, 2, picture.Height - 3), region);
        PictureInfo info = ImageFile.Identify(At("a.tif"));
        Assert.Equal((picture.Width, picture.Height), (info.Width, info.Height));
    }

    private void SaveOriented(Tensor stored, int orientation)
    {
        ImageFile.Write(At("plain.tif"), stored);
        using Vips.Image plain = Vips.Image.NewFromFile(At("plain.tif"));
        using Vips.Image oriented = plain.Mutate(m => m.Set(Vips.GValue.GIntType, "orientation", orientation));
        oriented.Tiffsave(At("a.tif"));
    }

    [Fact]
    public void Cmyk_becomes_rgb()
    {
        Tensor pixels = Smooth(3, 40, 50);
        ImageFile.Write(At("rgb.png"), pixels);
        using Vips.Image rgb = Vips.Image.NewFromFile(At("rgb.png"));
        using Vips.Image cmyk = rgb.IccTransform("cmyk", inputProfile: "srgb");
        cmyk.Jpegsave(At("a.jpg"), q: 100);
        cmyk.Jpegsave(At("bare.jpg"), q: 100, keep: Vips.Enums.ForeignKeep.None);
        foreach (string name in new[] { "a.jpg", "bare.jpg" })
        {
            using Picture picture = ImageFile.Read(At(name));
            Assert.Equal(3, picture.Channels);
            Assert.Null(picture.Alpha);
            AssertNear(pixels, picture.Pixels, 0.12);
        }
    }

    [Fact]
    public void A_wide_gamut_profile_is_converted_to_srgb()
    {
        Tensor pixels = Smooth(3, 20, 30);
        ImageFile.Write(At("rgb.png"), pixels);
        using Vips.Image rgb = Vips.Image.NewFromFile(At("rgb.png"));
        using Vips.Image wide = rgb.IccTransform("p3", inputProfile: "srgb", depth: 16);
        wide.Pngsave(At("p3.png"));
        using Picture picture = ImageFile.Read(At("p3.png")),
            raw = ImageFile.Read(At("p3.png"), new ReadOptions { ApplyProfile = false });
        AssertNear(pixels, picture.Pixels, 0.006);
        Assert.True((raw.Pixels - pixels).abs().max().item<float>() > 0.02);
    }

    [Fact]
    public void An_srgb_profile_changes_no_value()
    {
        Tensor pixels = Ramp(3, 16, 16);
        ImageFile.Write(At("plain.png"), pixels);
        using Vips.Image plain = Vips.Image.NewFromFile(At("plain.png"));
        plain.Pngsave(At("tagged.png"), profile: "srgb");
        using Vips.Image tagged = Vips.Image.NewFromFile(At("tagged.png"));
        Assert.True(tagged.Contains("icc-profile-data"));
        using Picture picture = ImageFile.Read(At("tagged.png"));
        AssertEqual(pixels, picture.Pixels);
    }

    [Fact]
    public void A_profile_that_calls_itself_srgb_is_not_applied()
    {
        ImageFile.Write(At("rgb.png"), Ramp(3, 16, 16));
        using Vips.Image rgb = Vips.Image.NewFromFile(At("rgb.png"));
        using Vips.Image wide = rgb.IccTransform("p3", inputProfile: "srgb");
        byte[] profile = (byte[])wide.Get("icc-profile-data");
        Rename(profile, "sRGB");
        using Vips.Image renamed = rgb.Mutate(m => m.Set(Vips.GValue.BlobType, "icc-profile-data", profile));
        renamed.Pngsave(At("a.png"));
        using Vips.Image tagged = Vips.Image.NewFromFile(At("a.png"));
        Assert.True(tagged.Contains("icc-profile-data"));
        using Picture picture = ImageFile.Read(At("a.png"));
        AssertEqual(Ramp(3, 16, 16), picture.Pixels);
    }

    /// <summary>Overwrites the beginning of a profile's description.</summary>
    private static void Rename(byte[] profile, string name)
    {
        int entry = profile.AsSpan(132).IndexOf("desc"u8) + 132;
        int tag = (int)BinaryPrimitives.ReadUInt32BigEndian(profile.AsSpan(entry + 4));
        if (!profile.AsSpan(tag).StartsWith("mluc"u8))
            System.Text.Encoding.ASCII.GetBytes(name).CopyTo(profile, tag + 12);
        else
            System
                .Text.Encoding.BigEndianUnicode.GetBytes(name)
                .CopyTo(profile, tag + (int)BinaryPrimitives.ReadUInt32BigEndian(profile.AsSpan(tag + 24)));
    }

    [Theory]
    [InlineData(1), InlineData(3)]
    public void An_unusable_profile_does_no_harm(int channels)
    {
        ImageFile.Write(At("plain.jpg"), Smooth(channels, 16, 16));
        byte[] plain = File.ReadAllBytes(At("plain.jpg")),
            junk = new byte[300];
        "acsp"u8.CopyTo(junk.AsSpan(36));
        byte[] tag = [.. "ICC_PROFILE\0"u8, 1, 1, .. junk],
            marker = [0xFF, 0xE2, (byte)((tag.Length + 2) >> 8), (byte)(tag.Length + 2)];
        File.WriteAllBytes(At("tagged.jpg"), [.. plain[..2], .. marker, .. tag, .. plain[2..]]);
        using Picture expected = ImageFile.Read(At("plain.jpg")),
            picture = ImageFile.Read(At("tagged.jpg"));
        AssertEqual(expected.Pixels, picture.Pixels);
        Assert.Equal("The embedded colour profile is unusable and was ignored", Assert.Single(picture.Notes));
    }

    [Fact]
    public void Of_an_animation_the_first_frame_is_read_with_a_note()
    {
        ImageFile.Write(At("frames.png"), torch.cat([torch.full([1, 3, 20, 30], 0.2f), torch.full([1, 3, 20, 30], 0.8f)], 2));
        using Vips.Image frames = Vips.Image.NewFromFile(At("frames.png"));
        frames.Webpsave(At("a.webp"), lossless: true, pageHeight: 20);
        using Picture picture = ImageFile.Read(At("a.webp"));
        AssertNear(torch.full([1, 3, 20, 30], 0.2f), picture.Pixels, 0.002);
        Assert.Equal("Only the first of 2 frames is read", Assert.Single(picture.Notes));
    }

    [Fact]
    public void Of_an_animated_png_the_still_picture_is_read_with_a_note()
    {
        ImageFile.Write(At("still.png"), Ramp(3, 4, 5));
        byte[] still = File.ReadAllBytes(At("still.png"));
        const int AfterHeader = 8 + 25;
        File.WriteAllBytes(At("a.png"), [.. still[..AfterHeader], .. Chunk("acTL"u8, [0, 0, 0, 3, 0, 0, 0, 0]), .. still[AfterHeader..]]);
        using Picture picture = ImageFile.Read(At("a.png"));
        AssertEqual(Ramp(3, 4, 5), picture.Pixels);
        Assert.Equal("Only the first of 3 frames is read", Assert.Single(picture.Notes));
    }

    [Fact]
    public void Palettes_become_rgb()
    {
        Tensor pixels = torch.cat([torch.zeros(1, 3, 8, 8), torch.ones(1, 3, 8, 8)], 3);
        ImageFile.Write(At("rgb.png"), pixels);
        using Vips.Image rgb = Vips.Image.NewFromFile(At("rgb.png"));
        rgb.Pngsave(At("palette.png"), palette: true, bitdepth: 2);
        using Picture picture = ImageFile.Read(At("palette.png"));
        Assert.Equal(3, picture.Channels);
        AssertNear(pixels, picture.Pixels, 0.01);
    }

    [Theory]
    [InlineData("a.png"), InlineData("a.tif")]
    public void One_bit_pictures_are_black_and_white(string name)
    {
        Tensor pixels = (Ramp(1, 9, 13) > 0.5).to(ScalarType.Float32);
        ImageFile.Write(At("gray.png"), pixels);
        using Vips.Image gray = Vips.Image.NewFromFile(At("gray.png"));
        if (name == "a.png")
            gray.Pngsave(At(name), bitdepth: 1);
        else
            gray.Tiffsave(At(name), bitdepth: 1);
        using Picture picture = ImageFile.Read(At(name));
        AssertEqual(pixels, picture.Pixels);
    }

    [Fact]
    public void Gray_with_alpha_stays_one_channel()
    {
        ImageFile.Write(At("a.png"), Ramp(1, 6, 7), alpha: Ramp(1, 6, 7));
        using Picture picture = ImageFile.Read(At("a.png"));
        Assert.Equal((1, true), (picture.Channels, picture.Alpha is not null));
    }
}
