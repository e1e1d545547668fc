using Diffusion.Imaging;
using Diffusion.Restoration;

namespace Diffusion.Tests.Imaging;

/// <summary>What files say besides their pixels goes with the picture into files of other formats, as far as it still holds.</summary>
public sealed class PictureMetadataTests : PictureFixture
{
    private const string Modules = "numpy, tifffile, PIL";

    private void Rewrite(string from, string to, ReadOptions? options = null)
    {
        using Picture picture = ImageFile.Read(At(from), options ?? new ReadOptions { AnyChannels = true });
        ImageFile.Write(At(to), picture);
    }

    private static readonly string[] Formats = ["jpg", "tif", "png", "webp"];

    // Twice as large, in another format.
    private void Enlarge(string from, string to)
    {
        using Picture picture = ImageFile.Read(At(from));
        using Picture twice = new(picture.Pixels.repeat_interleave(2, 2).repeat_interleave(2, 3))
        {
            Metadata = picture.Metadata.For((16, 24), (32, 48)),
        };
        ImageFile.Write(At(to), twice);
    }

    [Fact]
    public void Exposure_and_place_survive_from_format_to_format()
    {
        DebianPython.Run(
            Modules,
            """
            import io, sys
            from PIL import Image
            e = Image.Exif()
            e[0x10f], e[0x132], e[0x112] = 'Acme', '2020:01:02 03:04:05', 3
            e[0x8769] = {33434: 0.004, 33437: 2.8, 34855: 400, 36867: '2020:01:02 03:04:05', 40962: 999, 40963: 888}
            e[0x8825] = {1: 'N', 2: (48.0, 8.0, 14.25), 3: 'E', 4: (11.0, 34.0, 31.5)}
            image = Image.new('RGB', (24, 16), (200, 90, 10))
            for name in ('jpg', 'png', 'webp'): image.save(f'{sys.argv[1]}/a.{name}', exif=e.tobytes())
            image.save(f'{sys.argv[1]}/a.tif', exif=Image.open(sys.argv[1] + '/a.jpg').getexif())  # which Pillow writes of what it read
            """,
            Folder
        );
        foreach (string from in Formats)
        foreach (string to in Formats)
        {
            Rewrite("a." + from, $"same_{from}.{to}");
            Enlarge("a." + from, $"twice_{from}.{to}");
        }
        DebianPython.Run(
            Modules,
            """
            import sys
            from PIL import Image
            names = ('jpg', 'tif', 'png', 'webp')
            for kind, a, b in ((k, a, b) for k in ('same', 'twice') for a in names for b in names):
                e = Image.open(f'{sys.argv[1]}/{kind}_{a}.{b}').getexif()
                photo, place = e.get_ifd(0x8769), e.get_ifd(0x8825)
                at = (kind, a, b, dict(e), photo, place)
                assert e[0x10f] == 'Acme' and e[0x132] == '2020:01:02 03:04:05' and e.get(0x112, 1) == 1, at
                assert abs(float(photo[33434]) - 0.004) < 1e-6 and abs(float(photo[33437]) - 2.8) < 1e-6 and photo[34855] == 400, at
                sizes = [(48, 32)] if kind == 'twice' else [(24, 16), (999, 888)]
                assert photo[36867] == '2020:01:02 03:04:05' and (photo[40962], photo[40963]) in sizes, at
                assert place[1] == 'N' and [float(v) for v in place[2]] == [48, 8, 14.25] and float(place[4][2]) == 31.5, at
            """,
            Folder
        );
    }

    [Fact]
    public void Xmp_survives_with_the_orientation_reset()
    {
        DebianPython.Run(
            Modules,
            """
            import sys, numpy as np, tifffile
            xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' \
                b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6" tiff:ImageWidth="24" ' \
                b'tiff:Make="Acme"/></rdf:RDF></x:xmpmeta>'
            tifffile.imwrite(sys.argv[1], np.full((16, 24, 3), 90, 'u1'), extratags=[(700, 1, len(xmp), xmp, True)])
            """,
            At("a.tif")
        );
        foreach (string to in (string[])[.. Formats, "avif"])
        {
            Enlarge("a.tif", "b." + to);
            // PNG compresses it.
            Rewrite("b." + to, "c.tif");
            string text = System.Text.Encoding.Latin1.GetString(File.ReadAllBytes(At("c.tif")));
            Assert.Contains("tiff:Orientation=\"1\" tiff:ImageWidth=\"48\" tiff:Make=\"Acme\"", text);
        }
    }

    [Fact]
    public void A_resolution_that_is_said_is_kept_even_where_it_is_the_usual_one()
    {
        DebianPython.Run(
            Modules,
            """
            import sys
            from PIL import Image
            for name in ('jpg', 'png', 'tif'):
                for dpi in (72, 25.4, 96): Image.new('RGB', (24, 16)).save(f'{sys.argv[1]}/a{dpi:.0f}.{name}', dpi=(dpi, dpi))
            """,
            Folder
        );
        foreach (string from in Formats[..3])
        foreach (string to in Formats[..3])
        foreach (int dpi in (int[])[72, 25, 96])
            Rewrite($"a{dpi}.{from}", $"b{dpi}_{from}.{to}");
        DebianPython.Run(
            Modules,
            """
            import sys
            from PIL import Image
            names = ('jpg', 'png', 'tif')
            for a, b, dpi in ((a, b, d) for a in names for b in names for d in (72, 25, 96)):
                said = Image.open(f'{sys.argv[1]}/b{dpi}_{a}.{b}').info
                assert abs(said['dpi'][0] - dpi) < 0.6, (a, b, dpi, said)
            """,
            Folder
        );
    }

    [Fact]
    public void Colours_with_more_beside_them_and_three_that_are_none_come_back_as_they_were()
    {
        DebianPython.Run(
            Modules,
            """
            import sys, numpy as np, tifffile
            folder = sys.argv[1]
            a = (np.arange(6 * 9 * 5).reshape(6, 9, 5) * 37 % 251).astype('u1')
            tifffile.imwrite(folder + '/five.tif', a, photometric='rgb', planarconfig='contig', extrasamples=[0, 0])
            tifffile.imwrite(folder + '/three.tif', a[..., :3], photometric='minisblack', planarconfig='contig', extrasamples=[0, 0])
            tifffile.imwrite(folder + '/rgb.tif', a[..., :3], photometric='rgb')
            """,
            Folder
        );
        foreach (string name in (string[])["five", "three", "rgb"])
        {
            Rewrite(name + ".tif", name + "2.tif");
            using Measurement measurement = Measurement.Open(At(name + ".tif"));
            Assert.Equal(name != "rgb", measurement.IsOfChannels);
        }
        DebianPython.Run(
            Modules,
            """
            import sys, tifffile
            for name in ('five', 'three', 'rgb'):
                a, b = (tifffile.TiffFile(f'{sys.argv[1]}/{name}{n}.tif') for n in ('', '2'))
                p, q = a.pages[0], b.pages[0]
                assert (a.asarray() == b.asarray()).all() and p.photometric == q.photometric and p.extrasamples == q.extrasamples, name
            """,
            Folder
        );
    }

    [Fact]
    public void What_a_description_says_of_the_shape_goes_where_it_is_another_one()
    {
        DebianPython.Run(
            Modules,
            """
            import sys, numpy as np, tifffile
            tifffile.imwrite(sys.argv[1] + '/gray.tif', np.zeros((6, 9), 'u1'))
            said = {'axes': 'ZCYX', 'PhysicalSizeX': 0.5}
            tifffile.imwrite(sys.argv[1] + '/ome.tif', np.zeros((2, 3, 6, 9), 'u1'), ome=True, metadata=said)
            """,
            Folder
        );
        using (Picture gray = ImageFile.Read(At("gray.tif")))
        {
            ImageFile.Write(At("same.tif"), gray);
            using Picture colours = new(gray.Pixels.repeat(1, 3, 1, 1)) { Metadata = gray.Metadata };
            ImageFile.Write(At("colours.tif"), colours);
        }
        using (Picture page = ImageFile.Read(At("ome.tif"), new ReadOptions { Page = 2 }))
        {
            Assert.Null(page.Metadata.LossIn(6));
            Assert.Contains("OME", page.Metadata.LossIn(4));
            using Picture colours = new(page.Pixels.repeat(1, 3, 1, 1)) { Metadata = page.Metadata };
            ImageFile.Write(At("six.tif"), [page, page, page, page, page, page]);
            ImageFile.Write(At("sixcolours.tif"), [colours, colours, colours, colours, colours, colours]);
        }
        DebianPython.Run(
            Modules,
            """
            import sys, tifffile
            f = lambda name: tifffile.TiffFile(f'{sys.argv[1]}/{name}.tif')
            assert f('same').is_shaped and f('same').asarray().shape == (6, 9)
            assert not f('colours').is_shaped and f('colours').asarray().shape == (6, 9, 3)
            assert f('six').is_ome and f('six').asarray().shape == (2, 3, 6, 9)
            assert not f('sixcolours').is_ome and f('sixcolours').asarray().shape == (6, 6, 9, 3)
            """,
            Folder
        );
    }
}
