using Diffusion.Imaging;
using Diffusion.Runtime;

namespace Diffusion.Tests.Imaging;

/// <summary>Stacks, channels, FITS and what files say besides the pixels come back as they were.</summary>
public sealed class ScienceFileTests : PictureFixture
{
    private Picture[] Pages(string file, int pages) =>
        [.. Enumerable.Range(1, pages).Select(page => ImageFile.Read(At(file), new ReadOptions { Page = page, AnyChannels = true }))];

    private void Rewrite(string file, string to, int pages) => ImageFile.Write(At(to), Pages(file, pages));

    [Fact]
    public void Stacks_keep_their_pages_and_what_OME_and_ImageJ_say()
    {
        DebianPython.Run(
            "numpy, tifffile",
            """
            import sys, numpy as np, tifffile
            a = (np.arange(4 * 6 * 9).reshape(4, 6, 9) * 211 % 60000).astype('u2')
            at = sys.argv[1]
            tifffile.imwrite(at + '/ome.tif', a, ome=True, photometric='minisblack',
                metadata=dict(axes='ZYX', PhysicalSizeX=0.5, PhysicalSizeXUnit='um'))
            tifffile.imwrite(at + '/ij.tif', a, imagej=True, metadata=dict(axes='ZYX'))
            """,
            Folder
        );
        Rewrite("ome.tif", "ome2.tif", 4);
        Rewrite("ome.tif", "ome3.tif", 3);
        Rewrite("ij.tif", "ij2.tif", 4);
        Picture[] doubled =
        [
            .. Pages("ome.tif", 4)
                .Select(page => new Picture(page.Pixels.repeat_interleave(2, 2).repeat_interleave(2, 3))
                {
                    BitDepth = 32,
                    Metadata = page.Metadata.For((6, 9), (12, 18)),
                }),
        ];
        ImageFile.Write(At("ome4.tif"), doubled);
        DebianPython.Run(
            "numpy, tifffile",
            """
            import sys, numpy as np, tifffile
            at = sys.argv[1]
            a = tifffile.imread(at + '/ome.tif')
            for name, count in (('ome2', 4), ('ome3', 3), ('ij2', 4)):
                with tifffile.TiffFile(f'{at}/{name}.tif') as t:
                    assert len(t.pages) == count and (t.asarray() == a[:count]).all(), name
                    assert t.series[0].axes == 'ZYX', (name, t.series[0].axes)
                    assert t.is_imagej if name == 'ij2' else t.is_ome, name
                    if name != 'ij2': assert 'PhysicalSizeX="0.5"' in t.ome_metadata and f'SizeZ="{count}"' in t.ome_metadata
            with tifffile.TiffFile(at + '/ome4.tif') as t:
                assert t.is_ome and t.asarray().dtype == 'f4' and t.asarray().shape == (4, 12, 18)
                assert 'PhysicalSizeX="0.25"' in t.ome_metadata and 'Type="float"' in t.ome_metadata
            """,
            Folder
        );
    }

    [Theory]
    [InlineData("contig", "u1"), InlineData("separate", "u2"), InlineData("contig", "f4")]
    public void Channels_that_are_no_colours_come_back_as_they_were(string planes, string type)
    {
        DebianPython.Run(
            "numpy, tifffile",
            """
            import sys, numpy as np, tifffile
            path, planes, kind = sys.argv[1:]
            a = (np.arange(5 * 6 * 9).reshape(5, 6, 9) * 37 % 251).astype(kind)
            if kind == 'f4': a /= 250
            if planes == 'contig': a = np.moveaxis(a, 0, -1)
            tifffile.imwrite(path, a, photometric='minisblack', planarconfig=planes, extrasamples=[0] * 4)
            """,
            At("a.tif"),
            planes,
            type
        );
        Rewrite("a.tif", "b.tif", 1);
        DebianPython.Run(
            "numpy, tifffile",
            """
            import sys, tifffile
            a, b = (tifffile.TiffFile(p) for p in sys.argv[1:])
            x, y = a.asarray(), b.asarray()
            assert x.shape == y.shape and x.dtype == y.dtype and (x == y).all()
            assert a.pages[0].extrasamples == b.pages[0].extrasamples and a.pages[0].planarconfig == b.pages[0].planarconfig
            """,
            At("a.tif"),
            At("b.tif")
        );
        Assert.Contains("5", Assert.Throws<ImageException>(() => ImageFile.Write(At("c.png"), torch.zeros(1, 5, 4, 4))).Message);
    }

    [Theory]
    [InlineData("u1"), InlineData("i2"), InlineData("u2"), InlineData("f4"), InlineData("f8")]
    public void Fits_files_keep_their_numbers_and_their_header(string type)
    {
        DebianPython.Run(
            "numpy, astropy",
            """
            import sys, numpy as np
            from astropy.io import fits
            path, kind = sys.argv[1:]
            h = fits.Header(dict(CRPIX1=4.5, CRPIX2=3., CRVAL1=10., CRVAL2=-5., CD1_1=-2e-4, CD2_2=2e-4, CTYPE1='RA---TAN',
                CTYPE2='DEC--TAN', OBSERVER="O'Hara / x", DATAMAX=9.))
            h['HISTORY'] = 'made by hand'
            a = (np.arange(54).reshape(6, 9) * 4).astype(kind)
            fits.PrimaryHDU(a / 250 if kind[0] == 'f' else a, header=h).writeto(path)
            """,
            At("a.fits"),
            type
        );
        using Picture picture = ImageFile.Read(At("a.fits"));
        ImageFile.Write(At("same.fits"), picture);
        using Picture twice = new(picture.Pixels.repeat_interleave(2, 2).repeat_interleave(2, 3))
        {
            Metadata = picture.Metadata.For((6, 9), (12, 18)),
        };
        using Picture wider = new(torch.nn.functional.pad(picture.Pixels, [1, 1, 1, 1]))
        {
            Metadata = picture.Metadata.For((6, 9), (8, 11)),
        };
        ImageFile.Write(At("twice.fits"), twice, new WriteOptions { BitDepth = 32 });
        ImageFile.Write(At("wider.fits"), wider, new WriteOptions { BitDepth = 32 });
        DebianPython.Run(
            "numpy, astropy.wcs",
            """
            import sys, numpy as np
            from astropy.io import fits
            from astropy.wcs import WCS
            at = sys.argv[1]
            a, same, twice, wider = (fits.open(f'{at}/{n}.fits')[0] for n in ('a', 'same', 'twice', 'wider'))
            for unit in (same, twice, wider): unit.verify('exception')
            assert np.abs(a.data - same.data.astype('f8')).max() < 1e-6
            for key in ('CRPIX1', 'CD1_1', 'CTYPE1', 'OBSERVER', 'HISTORY'): assert str(a.header[key]) == str(same.header[key]), key
            assert 'DATAMAX' not in same.header
            sky = lambda unit, x, y: np.array(WCS(unit.header).pixel_to_world_values(x, y))
            for x, y in ((-0.5, -0.5), (8.5, 5.5)):
                assert np.abs(sky(a, x, y) - sky(twice, 2 * x + 0.5, 2 * y + 0.5)).max() < 1e-9
                assert np.abs(sky(a, x, y) - sky(wider, x + 1, y + 1)).max() < 1e-9
            """,
            Folder
        );
    }

    [Theory]
    [InlineData("png"), InlineData("jpg"), InlineData("tif")]
    public void Resolution_date_and_profile_survive_and_the_orientation_is_reset(string extension)
    {
        DebianPython.Run(
            "PIL.ImageCms",
            """
            import sys
            from PIL import Image, ImageCms
            e = Image.Exif()
            e[0x10f], e[0x132], e[0x112] = 'Acme', '2020:01:02 03:04:05', 6
            srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile('sRGB')).tobytes()
            Image.new('RGB', (24, 16), (200, 90, 10)).save(sys.argv[1], exif=e.tobytes(), dpi=(300, 300), icc_profile=srgb)
            """,
            At("in.jpg")
        );
        using (Picture picture = ImageFile.Read(At("in.jpg")))
        {
            using Picture twice = new(picture.Pixels.repeat_interleave(2, 2).repeat_interleave(2, 3))
            {
                Metadata = picture.Metadata.For((24, 16), (48, 32)),
            };
            ImageFile.Write(At("out." + extension), twice);
        }
        DebianPython.Run(
            "PIL",
            """
            import sys
            from PIL import Image
            i = Image.open(sys.argv[1])
            e = i.getexif()
            assert i.size == (32, 48) and e.get(0x112, 1) == 1, (i.size, dict(e))
            assert e[0x132] == '2020:01:02 03:04:05' and e[0x10f] == 'Acme', dict(e)
            assert abs(i.info['dpi'][0] - 600) < 0.1 and len(i.info['icc_profile']) > 100
            """,
            At("out." + extension)
        );
    }

    [Theory]
    [InlineData("png"), InlineData("jpg"), InlineData("tif")]
    public void Where_no_resolution_is_known_none_is_claimed(string extension)
    {
        ImageFile.Write(At("a." + extension), Ramp(3, 16, 24));
        using (Picture back = ImageFile.Read(At("a." + extension)))
            Assert.Null(back.Metadata.Resolution);
        DebianPython.Run(
            "PIL",
            """
            import sys
            from PIL import Image
            i = Image.open(sys.argv[1])
            i.load()
            assert 'dpi' not in i.info or tuple(i.info['dpi']) == (1, 1), i.info
            """,
            At("a." + extension)
        );
    }
}
