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

    private sealed class FullDisk : MemoryStream
    {
        public override void Write(byte[] buffer, int offset, int count) => throw new IOException("No space left on device", 28);

        public override void Write(ReadOnlySpan<byte> buffer) => throw new IOException("No space left on device", 28);
    }
}
