using Diffusion.Imaging;
using Diffusion.Runtime;

namespace Diffusion.Tests.Imaging;

/// <summary>What is written opens in other programs without extra codecs, and what they write comes back as it was.</summary>
public sealed class InterchangeTests : PictureFixture
{
    [Fact]
    public void Tiff_of_any_depth_opens_in_tifffile_scikit_image_and_Pillow()
    {
        foreach (int bits in (int[])[8, 16, 32])
        foreach (int channels in (int[])[1, 3])
            ImageFile.Write(At($"{bits}_{channels}.tif"), Ramp(channels, 31, 43), new WriteOptions { BitDepth = bits });
        string report = DebianPython.Run(
            "numpy, tifffile, skimage.io, PIL",
            """
            import sys, numpy as np, tifffile, skimage.io
            from PIL import Image
            for bits in (8, 16, 32):
                for channels in (1, 3):
                    path = f'{sys.argv[1]}/{bits}_{channels}.tif'
                    ramp = np.moveaxis((np.arange(channels * 31 * 43) * 37 % 256 / 255).reshape(channels, 31, 43), 0, -1)
                    full = {8: 255, 16: 65535, 32: 1}[bits]
                    readers = [tifffile.imread, skimage.io.imread]
                    if bits == 8 or channels == 1: readers.append(lambda p: np.asarray(Image.open(p)))  # Pillow has no deep colours
                    for read in readers:
                        a = read(path)
                        assert np.abs(a.reshape(31, 43, channels) / full - ramp).max() < 1e-6, (path, read)
                        print('ok')
            """,
            Folder
        );
        Assert.Equal(16, report.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Theory]
    [InlineData(8, 1), InlineData(16, 1), InlineData(32, 1), InlineData(8, 3), InlineData(32, 3)]
    public void Fits_is_written_as_astropy_reads_it(int bits, int channels)
    {
        Tensor pixels = Ramp(channels, 9, 14);
        ImageFile.Write(At("a.fits"), pixels, new WriteOptions { BitDepth = bits });
        DebianPython.Run(
            "numpy, astropy",
            """
            import sys, numpy as np
            from astropy.io import fits
            with fits.open(sys.argv[1]) as f:
                f.verify('exception')
                full = {'8': 255, '16': 65535, '32': 1}[sys.argv[2]]
                c = int(sys.argv[3])
                ramp = (np.arange(c * 9 * 14) * 37 % 256 / 255).reshape((c, 9, 14) if c > 1 else (9, 14))
                assert np.abs(f[0].data / full - ramp).max() < 1e-6
            """,
            At("a.fits"),
            $"{bits}",
            $"{channels}"
        );
        using Picture picture = ImageFile.Read(At("a.fits"), new ReadOptions { Page = channels });
        AssertNear(pixels.narrow(1, channels - 1, 1), picture.Pixels, 1e-6);
        Assert.Equal((ImageFormat.Fits, bits), (picture.Format!.Value, picture.BitDepth));
        PictureInfo info = ImageFile.Identify(At("a.fits"));
        Assert.Equal((14, 9, channels), (info.Width, info.Height, info.Frames));
    }

    [Fact]
    public void Fits_of_eight_bits_is_rounded_to_the_nearest()
    {
        ImageFile.Write(At("a.fits"), torch.full([1, 1, 2, 3], 100.6f / 255), new WriteOptions { BitDepth = 8 });
        using Picture picture = ImageFile.Read(At("a.fits"));
        AssertNear(torch.full([1, 1, 2, 3], 101f / 255), picture.Pixels, 1e-6);
    }

    [Fact]
    public void Float64_as_numpy_saves_it_is_read()
    {
        using Picture picture = ImageFile.Read(Path.Combine(TestPaths.Repository, "tests", "field", "pictures", "f64.tif"));
        Assert.Equal((1, 64, 64, 32), (picture.Channels, picture.Height, picture.Width, picture.BitDepth));
        Assert.InRange(picture.Pixels.mean().item<float>(), 0.05, 0.95);
    }

    [Fact]
    public void Pages_of_a_stack_are_read_one_by_one()
    {
        DebianPython.Run(
            "numpy, tifffile",
            """
            import sys, numpy as np, tifffile
            a = (np.arange(3 * 5 * 7) % 251).astype('u1').reshape(3, 5, 7)
            tifffile.imwrite(sys.argv[1] + '/plain.tif', a, photometric='minisblack')
            tifffile.imwrite(sys.argv[1] + '/odd.tif', a.astype('f8') / 255, photometric='minisblack', byteorder='>', bigtiff=True)
            """,
            Folder
        );
        Tensor all = (torch.arange(105) % 251).to(ScalarType.Float32).div(255).reshape(3, 1, 5, 7);
        foreach (string name in (string[])["plain.tif", "odd.tif"])
        {
            Assert.Equal(3, ImageFile.Identify(At(name)).Frames);
            for (int page = 1; page <= 3; page++)
            {
                using Picture picture = ImageFile.Read(At(name), new ReadOptions { Page = page });
                AssertNear(all.narrow(0, page - 1, 1), picture.Pixels, 1e-7);
                Assert.Empty(picture.Notes);
            }
            using Picture first = ImageFile.Read(At(name));
            Assert.Contains("first of 3 pages", Assert.Single(first.Notes));
            Assert.Contains(
                "pages 1 to 3",
                Assert.Throws<ImageException>(() => ImageFile.Read(At(name), new ReadOptions { Page = 4 })).Remedy
            );
        }
    }

    [Fact]
    public void A_second_channel_that_is_no_coverage_is_a_channel()
    {
        DebianPython.Run(
            "numpy, tifffile",
            """
            import sys, numpy as np, tifffile
            a = (np.arange(5 * 7 * 2) * 3).astype('u1').reshape(5, 7, 2)
            for name, extra in (('channel', 'unspecified'), ('alpha', 'unassalpha')):
                tifffile.imwrite(f'{sys.argv[1]}/{name}.tif', a, photometric='minisblack', planarconfig='contig', extrasamples=[extra])
            """,
            Folder
        );
        using Picture channels = ImageFile.Read(At("channel.tif"), new ReadOptions { AnyChannels = true }),
            alpha = ImageFile.Read(At("alpha.tif"));
        Assert.Equal((2, null), (channels.Channels, channels.Alpha));
        Assert.Equal(1, alpha.Channels);
        AssertEqual(channels.Pixels.narrow(1, 1, 1), alpha.Alpha!);
        Assert.Contains("2 channels", Assert.Throws<ImageException>(() => ImageFile.Read(At("channel.tif"))).What);
    }

    [Fact]
    public void What_the_decoder_merely_warns_of_is_no_picture()
    {
        DebianPython.Run(
            "numpy, PIL",
            """
            import sys, numpy as np
            from PIL import Image
            y, x = np.mgrid[0:200, 0:200]
            Image.fromarray((np.sin(x / 7.0) * np.cos(y / 5.0)) > 0).save(sys.argv[1] + '/fax.tif', compression='group4')
            Image.fromarray((127 + 100 * np.sin(x / 9.0)).astype('u1')).save(sys.argv[1] + '/a.jpg')
            """,
            Folder
        );
        byte[] fax = File.ReadAllBytes(At("fax.tif")),
            jpeg = File.ReadAllBytes(At("a.jpg"));
        using (ImageFile.Read(At("fax.tif"))) { }
        for (int i = fax.Length / 3; i < fax.Length / 3 + 6; i++)
            fax[i] ^= 0x5A;
        File.WriteAllBytes(At("fax.tif"), fax);
        Assert.Contains("damaged", Assert.Throws<ImageException>(() => ImageFile.Read(At("fax.tif"))).What);
        // Bytes between segments, as some cameras write them, lose nothing: that is said, not refused.
        int scan = jpeg.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, 0xDA]);
        File.WriteAllBytes(At("b.jpg"), [.. jpeg[..scan], 0, 0, .. jpeg[scan..]]);
        using Picture sound = ImageFile.Read(At("a.jpg")),
            odd = ImageFile.Read(At("b.jpg"));
        AssertEqual(sound.Pixels, odd.Pixels);
        Assert.Contains("extraneous", Assert.Single(odd.Notes));
    }

    [Fact]
    public void Hostile_tiff_layouts_are_refused_and_never_crash()
    {
        DebianPython.Run(
            "numpy, tifffile",
            """
            import sys, numpy as np, tifffile
            a = np.arange(20 * 30, dtype='f8').reshape(20, 30)
            kinds = dict(a={}, b=dict(compression='zlib', tile=(16, 16)), c=dict(compression='lzma'), d=dict(bigtiff=True, byteorder='>'))
            for name, kw in kinds.items():
                tifffile.imwrite(f'{sys.argv[1]}/{name}.tif', a, **kw)
            tifffile.imwrite(sys.argv[1] + '/z.tif', np.zeros((4, 4), 'c8'))
            """,
            Folder
        );
        Assert.Contains("complex", Assert.Throws<ImageException>(() => ImageFile.Read(At("z.tif"))).What);
        Random random = new(3);
        foreach (string name in (string[])["a.tif", "b.tif", "c.tif", "d.tif"])
        {
            byte[] whole = File.ReadAllBytes(At(name));
            for (int i = 0; i < 120; i++)
            {
                byte[] bytes = i < 30 ? whole[..(whole.Length * i / 30)] : [.. whole];
                for (int flips = i < 30 ? 0 : random.Next(1, 5); flips > 0; flips--)
                    bytes[random.Next(i % 2 == 0 ? bytes.Length : Math.Min(300, bytes.Length))] = (byte)random.Next(256);
                File.WriteAllBytes(At("x.tif"), bytes);
                try
                {
                    ImageFile.Read(At("x.tif"), new ReadOptions { AnyChannels = true, MaxPixels = 1_000_000 }).Dispose();
                }
                catch (ImageException error)
                {
                    Assert.NotNull(error.Remedy);
                }
            }
        }
    }
}
