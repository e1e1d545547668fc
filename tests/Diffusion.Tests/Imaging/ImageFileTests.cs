using Diffusion.Imaging;
using Diffusion.Runtime;
using FsCheck.Xunit;

namespace Diffusion.Tests.Imaging;

public sealed class ImageFileTests : PictureFixture
{
    [Theory]
    [InlineData("a.png", 3, 8), InlineData("a.png", 1, 8), InlineData("a.png", 3, 16), InlineData("a.png", 1, 16)]
    [
        InlineData("a.tif", 3, 8),
        InlineData("a.tiff", 1, 8),
        InlineData("a.tif", 3, 16),
        InlineData("a.tif", 1, 16),
        InlineData("a.webp", 3, 8)
    ]
    public void Lossless_formats_return_the_same_samples(string name, int channels, int bits)
    {
        Tensor pixels = Ramp(channels, 13, 17, 1 << bits);
        ImageFile.Write(At(name), pixels, new WriteOptions { BitDepth = bits });
        using Picture picture = ImageFile.Read(At(name));
        AssertEqual(pixels, picture.Pixels);
        Assert.Null(picture.Alpha);
        Assert.Equal((bits, channels, 13, 17), (picture.BitDepth, picture.Channels, picture.Height, picture.Width));
        Assert.Equal("a", picture.Name);
        Assert.Empty(picture.Notes);
    }

    [Theory]
    [InlineData(1), InlineData(3)]
    public void Float_tiff_is_exact_and_not_clipped(int channels)
    {
        Tensor pixels = torch.randn(1, channels, 31, 29) * 3;
        ImageFile.Write(At("y.tif"), pixels, new WriteOptions { BitDepth = 32 });
        using Picture picture = ImageFile.Read(At("y.tif"));
        AssertEqual(pixels, picture.Pixels);
        Assert.Equal(32, picture.BitDepth);
    }

    [Theory]
    [
        InlineData("a.jpg", 3, 8, 0.03),
        InlineData("a.jpg", 1, 8, 0.02),
        InlineData("a.avif", 3, 8, 0.03),
        InlineData("a.avif", 3, 16, 0.03),
        InlineData("a.webp", 3, 8, 0.03)
    ]
    public void Lossy_formats_stay_close(string name, int channels, int bits, double tolerance)
    {
        Tensor pixels = Smooth(channels, 48, 64);
        ImageFile.Write(At(name), pixels, new WriteOptions { BitDepth = bits, Quality = 95 });
        using Picture picture = ImageFile.Read(At(name));
        AssertNear(pixels, picture.Pixels, tolerance);
    }

    [Theory]
    [
        InlineData("a.png", 8, 3),
        InlineData("a.png", 16, 3),
        InlineData("a.png", 8, 1),
        InlineData("a.webp", 8, 3),
        InlineData("a.tif", 32, 3),
        InlineData("a.tif", 16, 1)
    ]
    public void Alpha_is_kept_and_not_premultiplied(string name, int bits, int channels)
    {
        Tensor pixels = Ramp(channels, 9, 11),
            alpha = Ramp(1, 9, 11).flip(3).contiguous();
        ImageFile.Write(At(name), pixels, new WriteOptions { BitDepth = bits }, alpha);
        using Picture picture = ImageFile.Read(At(name));
        AssertNear(pixels, picture.Pixels, 1e-6);
        Assert.NotNull(picture.Alpha);
        AssertNear(alpha, picture.Alpha, 1e-6);
        Assert.Equal(channels, picture.Channels);
    }

    [Fact]
    public void Jpeg_lays_transparent_pictures_on_white()
    {
        ImageFile.Write(At("a.jpg"), torch.zeros(1, 3, 16, 16), alpha: torch.zeros(1, 1, 16, 16));
        using Picture picture = ImageFile.Read(At("a.jpg"));
        Assert.Null(picture.Alpha);
        AssertNear(torch.ones(1, 3, 16, 16), picture.Pixels, 0.005);
    }

    [Fact]
    public void Eight_bits_are_rounded_to_the_nearest_and_clipped()
    {
        Tensor pixels = torch.tensor(new[] { -0.5f, 0.4f / 255, 0.6f / 255, 100.49f / 255, 100.51f / 255, 1.5f }).reshape(1, 1, 1, 6);
        ImageFile.Write(At("a.png"), pixels);
        using Picture picture = ImageFile.Read(At("a.png"));
        Assert.Equal(new float[] { 0, 0, 1, 100, 101, 255 }, (picture.Pixels * 255).round().data<float>().ToArray());
    }

    [Fact]
    public void A_picture_is_written_at_its_own_depth()
    {
        ImageFile.Write(At("a.png"), Ramp(3, 5, 6, 65536), new WriteOptions { BitDepth = 16 });
        using Picture first = ImageFile.Read(At("a.png"));
        ImageFile.Write(At("b.png"), first);
        using Picture second = ImageFile.Read(At("b.png"));
        Assert.Equal(16, second.BitDepth);
        AssertEqual(first.Pixels, second.Pixels);
    }

    [Theory]
    [InlineData(ImageFormat.Png), InlineData(ImageFormat.Tiff), InlineData(ImageFormat.WebP)]
    public void Streams_that_cannot_seek_are_read_and_written(ImageFormat format)
    {
        Tensor pixels = Ramp(3, 7, 8);
        using MemoryStream memory = new();
        using (System.IO.Compression.GZipStream pipe = new(memory, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true))
            ImageFile.Write(pipe, pixels, format);
        memory.Position = 0;
        using System.IO.Compression.GZipStream back = new(memory, System.IO.Compression.CompressionMode.Decompress);
        using Picture picture = ImageFile.Read(back);
        AssertEqual(pixels, picture.Pixels);
        Assert.Equal("stdin", picture.Name);
    }

    [Theory]
    [
        InlineData("ünï 写真.png"),
        InlineData("with space.tif"),
        InlineData("line\nbreak.png"),
        InlineData("a[page=1].png"),
        InlineData("sub/folder/a.webp")
    ]
    public void Odd_paths_work(string name)
    {
        Tensor pixels = Ramp(3, 4, 5);
        ImageFile.Write(At(name), pixels);
        using Picture picture = ImageFile.Read(At(name));
        AssertEqual(pixels, picture.Pixels);
    }

    [Property(MaxTest = 40)]
    public void Any_picture_survives_a_round_trip(byte height, byte width, bool gray, bool alpha, byte kind)
    {
        (int h, int w, int channels) = (height + 1, width + 1, gray ? 1 : 3);
        (ImageFormat format, int bits) = (kind % 6) switch
        {
            0 => (ImageFormat.Png, 8),
            1 => (ImageFormat.Png, 16),
            2 => (ImageFormat.Tiff, 8),
            3 => (ImageFormat.Tiff, 16),
            4 => (ImageFormat.Tiff, 32),
            _ => (ImageFormat.WebP, 8),
        };
        if (format == ImageFormat.WebP)
            channels = 3;
        using ComputeScope scope = new();
        Tensor pixels = Ramp(channels, h, w, bits == 8 ? 256 : 65536),
            cover = Ramp(1, h, w, bits == 8 ? 256 : 65536).flip(2).contiguous();
        using MemoryStream memory = new();
        ImageFile.Write(memory, pixels, format, new WriteOptions { BitDepth = bits }, alpha ? cover : null);
        memory.Position = 0;
        using Picture picture = ImageFile.Read(memory, "case");
        AssertEqual(pixels, picture.Pixels);
        // WebP drops an alpha channel that is opaque throughout.
        if (alpha && picture.Alpha is not null)
            AssertEqual(cover, picture.Alpha);
        Assert.True(!alpha || picture.Alpha is not null || (format == ImageFormat.WebP && cover.min().item<float>() == 1));
    }

    [Theory]
    [InlineData("a.tif"), InlineData("a.png"), InlineData("a.jpg"), InlineData("a.webp")]
    public void Regions_equal_the_same_part_of_the_whole(string name)
    {
        ImageFile.Write(At(name), Smooth(3, 300, 200), alpha: name == "a.png" ? Smooth(1, 300, 200) : null);
        using Picture whole = ImageFile.Read(At(name));
        using RegionReader reader = ImageFile.OpenRegions(At(name));
        Assert.Equal(ImageFile.Identify(At(name)), reader.Info);
        foreach ((int x, int y, int w, int h) in new[] { (150, 250, 50, 50), (0, 0, 200, 1), (10, 20, 30, 40), (0, 0, 200, 300) })
            AssertEqual(whole.Pixels.narrow(2, y, h).narrow(3, x, w), reader.Read(x, y, w, h));
        Assert.Contains("51x1+150+0", Assert.Throws<ArgumentException>(() => reader.Read(150, 0, 51, 1)).Message);
    }

    [Fact]
    public void The_header_is_enough_to_identify()
    {
        ImageFile.Write(At("a.png"), Ramp(1, 20, 30), new WriteOptions { BitDepth = 16 }, Ramp(1, 20, 30));
        Assert.Equal(new PictureInfo(ImageFormat.Png, 30, 20, 1, true, 16, 1), ImageFile.Identify(At("a.png")));
    }

    [Fact]
    public void Nothing_leaks_from_reading_and_writing()
    {
        ImageFile.Write(At("a.png"), Ramp(3, 16, 16), alpha: Ramp(1, 16, 16));
        ImageFile.Read(At("a.png")).Dispose();
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        for (int i = 0; i < 5; i++)
        {
            using Picture picture = ImageFile.Read(At("a.png"));
            ImageFile.Write(At("b.png"), picture);
        }
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        Assert.DoesNotContain(Directory.GetFiles(Folder), file => file.EndsWith(".tmp", StringComparison.Ordinal));
    }
}
