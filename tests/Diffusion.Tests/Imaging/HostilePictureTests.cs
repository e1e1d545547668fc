using System.Buffers.Binary;
using Diffusion.Imaging;
using Diffusion.Runtime;
using Vips = NetVips;

namespace Diffusion.Tests.Imaging;

/// <summary>Pictures that users have, and pictures that they should not have.</summary>
public sealed class HostilePictureTests : PictureFixture
{
    [Theory]
    [
        InlineData("a.png", 1, 1),
        InlineData("a.jpg", 1, 1),
        InlineData("a.webp", 1, 1),
        InlineData("a.tif", 1, 1),
        InlineData("a.avif", 1, 1)
    ]
    [
        InlineData("a.png", 1, 4000),
        InlineData("a.jpg", 1, 4000),
        InlineData("a.webp", 1, 4000),
        InlineData("a.tif", 1, 4000),
        InlineData("a.png", 4000, 1)
    ]
    [InlineData("a.png", 2, 65535), InlineData("a.jpg", 2, 65500), InlineData("a.tif", 2, 65535)]
    public void Extreme_shapes_are_read_and_written(string name, int height, int width)
    {
        ImageFile.Write(At(name), torch.full([1, 3, height, width], 0.5f));
        using Picture picture = ImageFile.Read(At(name));
        AssertNear(torch.full([1, 3, height, width], 0.5f), picture.Pixels, 0.01);
    }

    [Theory]
    [InlineData("a.jpg", 65501), InlineData("a.webp", 16384)]
    public void Sides_that_a_format_cannot_hold_are_refused_by_name(string name, int width)
    {
        ImageException error = Assert.Throws<ImageException>(() => ImageFile.Write(At(name), torch.zeros(1, 1, 1, width)));
        Assert.Contains(FormattableString.Invariant($"{width}x1"), error.What);
        Assert.Contains("PNG or TIFF", error.Remedy);
    }

    [Fact]
    public void A_missing_file_is_named() =>
        Assert.Equal(
            $"There is no such file ({At("none.png")}). Check the path.",
            Assert.Throws<ImageException>(() => ImageFile.Read(At("none.png"))).Message
        );

    [Fact]
    public void A_folder_is_no_picture() => Assert.Contains("folder", Assert.Throws<ImageException>(() => ImageFile.Read(Folder)).What);

    [Fact]
    public void An_empty_file_is_called_empty()
    {
        File.WriteAllBytes(At("a.png"), []);
        Assert.Contains("zero bytes", Assert.Throws<ImageException>(() => ImageFile.Read(At("a.png"))).What);
    }

    [Theory]
    [InlineData("a.png"), InlineData("a.jpg"), InlineData("a.webp"), InlineData("a.tif"), InlineData("a.avif")]
    public void Truncated_files_are_refused_wherever_they_end(string name)
    {
        ImageFile.Write(At(name), torch.rand(1, 3, 64, 80));
        byte[] whole = File.ReadAllBytes(At(name));
        foreach (double part in new[] { 0.99, 0.6, 0.1 })
        {
            File.WriteAllBytes(At(name), whole[..(int)(whole.Length * part)]);
            ImageException error = Assert.Throws<ImageException>(() => ImageFile.Read(At(name)));
            Assert.Contains("truncated or damaged", error.What);
            Assert.Equal(At(name), error.Where);
            Assert.DoesNotContain("\n", error.Message);
        }
    }

    [Fact]
    public void A_signature_alone_is_damaged_not_a_crash()
    {
        foreach (
            byte[] head in new byte[][]
            {
                [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A],
                [0xFF, 0xD8, 0xFF, 0xE0],
                [.. "RIFF\0\0\0\0WEBP"u8],
                [.. "II*\0"u8],
                [.. "\0\0\0\u0014ftypavif\0\0\0\0avif"u8],
            }
        )
        {
            File.WriteAllBytes(At("a"), head);
            Assert.Contains("damaged", Assert.Throws<ImageException>(() => ImageFile.Read(At("a"))).What);
        }
    }

    [Theory]
    [
        InlineData("GIF89a...", "a GIF picture"),
        InlineData("hello\n", "text"),
        InlineData("<!DOCTYPE html><html>", "an HTML page"),
        InlineData("%PDF-1.7", "a PDF document")
    ]
    [
        InlineData("<?xml version=\"1.0\"?><svg>", "an SVG drawing"),
        InlineData("PK\u0003\u0004", "a ZIP archive"),
        InlineData("P6 2 2 255\n", "a PNM picture"),
        InlineData("BM....", "a BMP picture")
    ]
    [
        InlineData("version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        InlineData("\0\0\0\u0018ftypheic\0\0\0\0mif1heic", "a HEIC picture"),
        InlineData("\u0001\u0002\u0003", "no picture in a known format")
    ]
    public void Other_files_are_called_what_they_are(string content, string description)
    {
        File.WriteAllText(At("a.png"), content, System.Text.Encoding.Latin1);
        ImageException error = Assert.Throws<ImageException>(() => ImageFile.Read(At("a.png")));
        Assert.StartsWith($"This is {description}", error.What);
        Assert.Contains("PNG, JPEG, WebP, TIFF, AVIF or FITS", error.Remedy);
    }

    [Fact]
    public void A_wrong_extension_does_not_matter()
    {
        Tensor pixels = Ramp(3, 5, 6);
        ImageFile.Write(At("a.jpg"), pixels, new WriteOptions { Format = ImageFormat.Png });
        using Picture picture = ImageFile.Read(At("a.jpg"));
        Assert.Equal(ImageFormat.Png, picture.Format);
        AssertEqual(pixels, picture.Pixels);
    }

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

    [Fact]
    public void A_decompression_bomb_is_refused_by_its_header()
    {
        File.WriteAllBytes(At("bomb.png"), PngHeader(60_000, 60_000));
        long before = GC.GetTotalAllocatedBytes();
        ImageException error = Assert.Throws<ImageException>(() => ImageFile.Read(At("bomb.png")));
        Assert.Contains("60000x60000 = 3600 megapixels, more than the limit of 300", error.What);
        Assert.True(GC.GetTotalAllocatedBytes() - before < 10_000_000);
        Assert.Contains(
            "limit of 0.1",
            Assert.Throws<ImageException>(() => ImageFile.Identify(At("bomb.png"), new ReadOptions { MaxPixels = 100_000 })).What
        );
    }

    [Fact]
    public void A_header_that_lies_within_the_limit_ends_as_damaged()
    {
        File.WriteAllBytes(At("lie.png"), PngHeader(10_000, 10_000));
        Assert.Contains("damaged", Assert.Throws<ImageException>(() => ImageFile.Read(At("lie.png"))).What);
    }

    [Fact]
    public void A_file_of_108_megapixels_is_read_to_its_last_pixel()
    {
        Tensor pixels = torch.zeros(1, 1, 9_000, 12_000);
        pixels.narrow(2, 8_999, 1).narrow(3, 11_999, 1).fill_(1);
        ImageFile.Write(At("large.jpg"), pixels);
        pixels.Dispose();
        using Picture picture = ImageFile.Read(At("large.jpg"));
        Assert.Equal((9_000, 12_000), (picture.Height, picture.Width));
        Assert.True(picture.Pixels[0, 0, 8_999, 11_999].item<float>() > 0.8f);
        Assert.Equal(0f, picture.Pixels[0, 0, 8_000, 0].item<float>());
    }

    [Fact]
    public void Output_may_be_the_input_and_a_failed_write_leaves_the_old_file()
    {
        Tensor pixels = Ramp(3, 8, 8);
        ImageFile.Write(At("a.png"), pixels);
        using Picture picture = ImageFile.Read(At("a.png"));
        ImageFile.Write(At("a.png"), picture);
        Assert.Contains("NaN", Assert.Throws<ImageException>(() => ImageFile.Write(At("a.png"), pixels / 0 * 0)).What);
        Assert.Throws<ImageException>(() => ImageFile.Write(At("a.png"), pixels, new WriteOptions { Overwrite = false }));
        using Picture again = ImageFile.Read(At("a.png"));
        AssertEqual(pixels, again.Pixels);
        Assert.Equal(["a.png"], Directory.GetFiles(Folder).Select(Path.GetFileName));
    }

    [Fact]
    public void Places_that_cannot_be_written_are_named()
    {
        ImageFile.Write(At("a.png"), Ramp(1, 2, 2));
        string below = Path.Combine(At("a.png"), "b.png");
        Assert.Equal(below, Assert.Throws<ImageException>(() => ImageFile.Write(below, Ramp(1, 2, 2))).Where);
        Assert.Contains(
            "folder",
            Assert.Throws<ImageException>(() => ImageFile.Write(Folder, Ramp(1, 2, 2), new WriteOptions { Format = ImageFormat.Png })).What
        );
        Assert.Contains("no picture format", Assert.Throws<ImageException>(() => ImageFile.Write(At("a.xyz"), Ramp(1, 2, 2))).What);
        if (OperatingSystem.IsLinux())
            Assert.Equal("/proc/a.png", Assert.Throws<ImageException>(() => ImageFile.Write("/proc/a.png", Ramp(1, 2, 2))).Where);
    }

    [Theory]
    [
        InlineData(ImageFormat.Png),
        InlineData(ImageFormat.Jpeg),
        InlineData(ImageFormat.WebP),
        InlineData(ImageFormat.Tiff),
        InlineData(ImageFormat.Avif)
    ]
    public void A_full_disk_is_a_resource_error(ImageFormat format) =>
        Assert.Contains(
            "disk is full",
            Assert.Throws<ResourceException>(() => ImageFile.Write(new FullDisk(), Ramp(3, 32, 32), format)).What
        );

    [Fact]
    public void Tensors_that_are_no_pictures_are_refused()
    {
        Assert.Contains("[2,3,4,4]", Assert.Throws<ArgumentException>(() => ImageFile.Write(At("a.png"), torch.rand(2, 3, 4, 4))).Message);
        // Two channels are a picture, but none that PNG holds.
        Assert.Contains("2", Assert.Throws<ImageException>(() => ImageFile.Write(At("a.png"), torch.rand(1, 2, 4, 4))).Message);
    }

    /// <summary>A PNG that claims a size, with the beginning of a data chunk.</summary>
    private static byte[] PngHeader(int width, int height)
    {
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (8, 2);
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, .. Chunk("IHDR"u8, header), .. Chunk("IDAT"u8, [0x78, 0x9C, 0, 0, 0])];
    }

    private static byte[] Chunk(ReadOnlySpan<byte> name, ReadOnlySpan<byte> data)
    {
        byte[] chunk = [0, 0, 0, (byte)data.Length, .. name, .. data, 0, 0, 0, 0];
        uint crc = uint.MaxValue;
        foreach (byte b in chunk.AsSpan(4, 4 + data.Length))
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc >> 1) ^ (0xEDB88320 & (uint)-(crc & 1));
        }
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(chunk.Length - 4), ~crc);
        return chunk;
    }

    private sealed class FullDisk : MemoryStream
    {
        public override void Write(byte[] buffer, int offset, int count) => throw new IOException("No space left on device", 28);

        public override void Write(ReadOnlySpan<byte> buffer) => throw new IOException("No space left on device", 28);
    }
}
