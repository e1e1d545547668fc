using Diffusion.Arrays;
using Diffusion.Imaging;
using Diffusion.Runtime;
using Diffusion.Tests.Imaging;

namespace Diffusion.Tests.Arrays;

/// <summary>Arrays as other programs write them.</summary>
public sealed class ArrayFileTests : PictureFixture
{
    // Values that every type holds: 0..23, in part negative where the type has signs.
    private const string Writer = """
        import sys, numpy as np
        folder = sys.argv[1]
        def a(t):
            v = np.arange(24).reshape(2, 3, 4)
            if t == '?': return (v % 3 > 0)
            if t[-2] == 'u': return v.astype(t)
            if t[-2] == 'c' or t[-3:] == 'c16': return (v - 5 + 1j * (v / 4)).astype(t)
            return (v - 5).astype(t)
        types = ['?', 'u1', 'i1'] + [o + k for o in '<>' for k in ('u2', 'u4', 'u8', 'i2', 'i4', 'i8', 'f2', 'f4', 'f8', 'c8', 'c16')]
        """;

    [Fact]
    public void Every_numpy_type_in_either_order_is_read()
    {
        string listing = DebianPython.Run(
            "numpy",
            Writer
                + """

                for t in types:
                    for order in 'CF':
                        name = t.replace('<', 'l').replace('>', 'b').replace('?', 'bool') + order + '.npy'
                        np.save(folder + '/' + name, np.array(a(t), order=order))
                        print(name)
                """,
            Folder
        );
        string[] names = listing.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(50, names.Length);
        foreach (string name in names)
        {
            using NumericArray array = ArrayFile.Read(At(name));
            AssertHolds(array, name);
        }
    }

    [Fact]
    public void Npz_matlab_and_hdf5_files_give_the_array_that_is_named()
    {
        DebianPython.Run(
            "numpy, scipy.io, h5py",
            Writer
                + """

                import scipy.io, h5py
                np.savez(folder + '/two.npz', x=a('<f4'), y=a('>i2'))
                np.savez_compressed(folder + '/one.npz', y=a('<c8'))
                mat = {k: a(k) for k in ('u1', 'i1')} | {'f8': a('<f8'), 'f4': a('<f4'), 'i8': a('<i8'), 'z': a('<c16'), 's': 'text'}
                for compressed in (False, True):
                    scipy.io.savemat(folder + '/m%d.mat' % compressed, mat, do_compression=compressed)
                cells = np.empty((1, 3), object)
                for i in range(3): cells[0, i] = np.full((2 + i, 3), float(i))
                scipy.io.savemat(folder + '/cells.mat', {'kernels': cells})
                with h5py.File(folder + '/a.h5', 'w') as f:
                    for t in types:
                        packed = dict(compression='gzip', chunks=(1, 3, 2)) if '<' in t else {}
                        f.create_dataset('g/' + t.replace('<', 'l').replace('>', 'b').replace('?', 'bool'), data=a(t), **packed)
                    f['title'] = 'text'
                with h5py.File(folder + '/v73.mat', 'w', userblock_size=512) as f:
                    d = f.create_dataset('k', data=np.ascontiguousarray(a('<f8').T)); d.attrs['MATLAB_class'] = np.bytes_('double')
                """,
            Folder
        );
        Check("two.npz", "x");
        Check("two.npz", "y");
        Check("one.npz", null);
        foreach (string file in (string[])["m0.mat", "m1.mat"])
        foreach (string key in (string[])["u1", "i1", "f8", "f4", "i8", "z"])
            Check(file, key);
        string[] sets =
        [
            "bool",
            "u1",
            "i1",
            .. from order in "lb"
            from type in (string[])["u2", "u4", "u8", "i2", "i4", "i8", "f2", "f4", "f8", "c8", "c16"]
            select order + type,
        ];
        foreach (string set in sets)
            Check("a.h5", "g/" + set);
        Check("v73.mat", null);

        ImageException several = Assert.Throws<ImageException>(() => ArrayFile.Read(At("two.npz")));
        Assert.Contains("2 arrays: x, y", several.What);
        Assert.Contains("key=x", several.Remedy);
        Assert.Contains("\"y\"", Assert.Throws<ImageException>(() => ArrayFile.Read(At("two.npz"), new() { Key = "yy" })).Message);
        ImageException cells = Assert.Throws<ImageException>(() => ArrayFile.Read(At("cells.mat")));
        Assert.Contains("2x3, 3x3, 4x3", cells.What);
        Assert.Contains("page=1 to page=3", cells.Remedy);
        using NumericArray second = ArrayFile.Read(At("cells.mat"), new() { Page = 2 });
        AssertEqual(torch.full([3, 3], 1.0, dtype: ScalarType.Float64), second.Values);

        void Check(string file, string? key)
        {
            using NumericArray array = ArrayFile.Read(At(file), new() { Key = key });
            AssertHolds(array, $"{file} {key}");
        }
    }

    [Fact]
    public void Fits_files_of_any_depth_are_read_as_astropy_reads_them()
    {
        string listing = DebianPython.Run(
            "numpy, astropy",
            """
            import sys, numpy as np
            from astropy.io import fits
            folder = sys.argv[1]
            v = np.arange(12).reshape(3, 4)
            for t in ('u1', 'i1', 'i2', 'u2', 'i4', 'u4', 'i8', 'f4', 'f8'):
                fits.writeto(folder + '/' + t + '.fits', v.astype(t)); print(t)
            h = fits.PrimaryHDU(v.astype('i2')); h.header['BLANK'] = 5; h.writeto(folder + '/blank.fits')
            s = fits.PrimaryHDU(v.astype('f8')); s.scale('int16', bscale=0.5, bzero=1.5); s.writeto(folder + '/scaled.fits')
            fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(v.astype('f4'), name='SCI'), fits.ImageHDU(v.astype('f4') + 1, name='ERR'),
              fits.BinTableHDU.from_columns([fits.Column(name='a', format='E', array=[1.0])])]).writeto(folder + '/three.fits')
            fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(v.astype('i2'))]).writeto(folder + '/packed.fits')
            """,
            Folder
        );
        Tensor expected = torch.arange(12, dtype: ScalarType.Float64).reshape(3, 4);
        foreach (string type in listing.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using NumericArray array = ArrayFile.Read(At(type + ".fits"));
            AssertEqual(expected, array.Values.to(ScalarType.Float64));
            Assert.Equal(
                type,
                $"{(array.Type.ToString() is ['U', ..] ? 'u' : array.Type.ToString() is ['I', ..] ? 'i' : 'f')}{array.Type.Size()}"
            );
        }
        using NumericArray blank = ArrayFile.Read(At("blank.fits")),
            scaled = ArrayFile.Read(At("scaled.fits")),
            science = ArrayFile.Read(At("three.fits")),
            error = ArrayFile.Read(At("three.fits"), new() { Hdu = 2 });
        Assert.Equal(1, blank.Values.isnan().sum().item<long>());
        Assert.True(blank.Values[1, 1].isnan().item<bool>());
        AssertNear(expected, scaled.Values.to(ScalarType.Float64), 0.25);
        AssertEqual(expected, science.Values.to(ScalarType.Float64));
        Assert.Contains("hdu=2", Assert.Single(science.Notes));
        AssertEqual(expected + 1, error.Values.to(ScalarType.Float64));
        Assert.Contains("hdu=1, hdu=2", Assert.Throws<ImageException>(() => ArrayFile.Read(At("three.fits"), new() { Hdu = 3 })).Remedy);
        Assert.Contains("funpack", Assert.Throws<ImageException>(() => ArrayFile.Read(At("packed.fits"))).Remedy);
    }

    [Fact]
    public void Texts_may_have_commas_tabs_and_remarks()
    {
        File.WriteAllText(At("k.csv"), "# kernel\n0, 1;2\n\n3\t4 5e0\r\n");
        using NumericArray array = ArrayFile.Read(At("k.csv"));
        AssertEqual(torch.arange(6, dtype: ScalarType.Float64).reshape(2, 3), array.Values);
        File.WriteAllText(At("k.csv"), "1 2\n3\n");
        Assert.Contains("line 2 has 1 numbers", Assert.Throws<ImageException>(() => ArrayFile.Read(At("k.csv"))).What);
        File.WriteAllText(At("k.csv"), "1 x\n");
        Assert.Contains("\"x\" is no number; it stands in line 1", Assert.Throws<ImageException>(() => ArrayFile.Read(At("k.csv"))).What);
    }

    private static void AssertHolds(NumericArray array, string name)
    {
        Tensor counts = torch.arange(24, dtype: ScalarType.Float64).reshape(2, 3, 4);
        Tensor expected =
            array.Type == SampleType.Bool ? (counts % 3).gt(0).to(ScalarType.Float64)
            : array.Type.ToString().StartsWith('U') ? counts
            : counts - 5;
        Assert.True(array.Values.shape.SequenceEqual(expected.shape), $"{name} has the shape [{string.Join(",", array.Values.shape)}]");
        if (array.Type.IsComplex())
            expected = torch.complex(expected, counts / 4);
        Assert.True(array.Values.to(expected.dtype).eq(expected).all().item<bool>(), name);
    }
}
