using Diffusion.Arrays;
using Diffusion.Imaging;
using Diffusion.Restoration;

namespace Diffusion.Tests.Imaging;

/// <summary>FITS pictures hold what astropy reads from them.</summary>
public sealed class FitsPictureTests : PictureFixture
{
    [Fact]
    public void Every_type_scale_and_unit_is_read_as_astropy_reads_it()
    {
        string[] lines = DebianPython
            .Run(
                "numpy, astropy.io.fits",
                """
                import sys, numpy as np
                from astropy.io import fits
                at = sys.argv[1]
                v = (np.arange(54).reshape(6, 9) * 37) % 240
                for kind in ('u1', 'i1', 'i2', 'u2', 'i4', 'u4', 'i8', 'u8', 'f4', 'f8'):
                    fits.writeto(f'{at}/{kind}.fits', (v / 250 if kind[0] == 'f' else v - 120 if kind == 'i1' else v).astype(kind))
                h = fits.PrimaryHDU(v.astype('f8') / 2); h.scale('int16', bscale=0.5, bzero=3); h.writeto(at + '/scaled.fits')
                h = fits.PrimaryHDU(v.astype('i2')); h.header['BLANK'] = int(v[2, 3]); h.writeto(at + '/blank.fits')
                units = [fits.PrimaryHDU(), fits.ImageHDU(v.astype('i4'), name='SCI'), fits.ImageHDU((v / 9).astype('f4'), name='ERR')]
                fits.HDUList(units).writeto(at + '/units.fits')
                for name in ('u1', 'i1', 'i2', 'u2', 'i4', 'u4', 'i8', 'u8', 'f4', 'f8', 'scaled', 'blank', 'units:1', 'units:2'):
                    file, _, unit = name.partition(':')
                    np.save(f'{at}/{file}{unit}.npy', fits.getdata(f'{at}/{file}.fits', int(unit or 0)).astype('f8'))
                    print(file, unit)
                """,
                Folder
            )
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(14, lines.Length);
        foreach (string[] parts in lines.Select(line => line.TrimEnd().Split(' ')))
        {
            int? unit = parts.Length > 1 ? int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture) : null;
            string name = parts[0];
            using NumericArray expected = ArrayFile.Read(At($"{name}{unit}.npy"));
            using Picture picture = ImageFile.Read(At(name + ".fits"), new ReadOptions { Hdu = unit });
            using Tensor actual = picture.Pixels[0, 0].to(ScalarType.Float64) * picture.FullScale;
            const double Missing = -1e3;
            using Tensor gap = (actual.nan_to_num(Missing) - expected.Values.nan_to_num(Missing)).abs().max();
            Assert.True(gap.ToDouble() < 5e-5, $"{name} {unit}: {gap.ToDouble()}");
            using Measurement measurement = Measurement.Open(At(name + ".fits"), new MeasurementOptions { Hdu = unit });
            Assert.Equal(name == "blank", measurement.Known is not null);
        }
    }
}
