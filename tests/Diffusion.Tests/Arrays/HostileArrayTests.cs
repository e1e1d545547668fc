using System.Text;
using Diffusion.Arrays;
using Diffusion.Runtime;
using Diffusion.Tests.Imaging;

namespace Diffusion.Tests.Arrays;

/// <summary>Arrays that claim what they are not.</summary>
public sealed class HostileArrayTests : PictureFixture
{
    private const string Huge = "4611686018427387904";

    [Theory]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 3), }", "shorter")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000), }", "shorter")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (" + Huge + ", " + Huge + "), }", "impossible size")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (" + Huge + "), }", "impossible size")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999), }", "shape is not understood")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (-1), }", "shape is not understood")]
    [InlineData(
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1), }",
        "33 axes"
    )]
    [InlineData("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "\"|O\", which is no number")]
    [InlineData("{'descr': '<f16', 'fortran_order': False, 'shape': (1,), }", "no number")]
    [InlineData("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", "records")]
    [InlineData("cos\nsystem\n(S'ls'\ntR.", "header is not understood")]
    public async Task Headers_of_numpy_files_that_lie_are_refused_by_name(string header, string what)
    {
        byte[] file = [.. NpyStart, (byte)header.Length, 0, .. Encoding.Latin1.GetBytes(header), 0, 0, 0, 0];
        File.WriteAllBytes(At("a.npy"), file);
        ImageException error = await RefusalOf(At("a.npy"));
        Assert.Contains(what, error.What);
        Assert.Equal(At("a.npy"), error.Where);
        Assert.NotNull(error.Remedy);
    }

    [Theory]
    [InlineData(
        "SIMPLE  =                    T",
        "BITPIX  =                    8",
        "NAXIS   =                    2",
        "NAXIS1  = " + Huge,
        "NAXIS2  = " + Huge
    )]
    [InlineData(
        "SIMPLE  =                    T",
        "BITPIX  =                   16",
        "NAXIS   =                    1",
        "NAXIS1  =        9000000000000"
    )]
    [InlineData(
        "SIMPLE  =                    T",
        "BITPIX  =                   17",
        "NAXIS   =                    1",
        "NAXIS1  =                    4"
    )]
    [InlineData("SIMPLE  =                    T", "BITPIX  =                   16", "NAXIS   =                   -1")]
    [InlineData(
        "SIMPLE  =                    T",
        "BITPIX  =                   16",
        "NAXIS   =                    2",
        "NAXIS1  =                    4"
    )]
    [InlineData(
        "SIMPLE  =                    T",
        "BITPIX  =                   16",
        "NAXIS   =                    1",
        "NAXIS1  =                   -4"
    )]
    [InlineData("SIMPLE  =                    T", "BITPIX  =                  abc")]
    public async Task Headers_of_fits_files_that_lie_are_refused(params string[] cards)
    {
        string header = string.Concat(cards.Append("END").Select(card => card.PadRight(80))).PadRight(2880);
        File.WriteAllText(At("a.fits"), header + new string('\0', 2880), Encoding.Latin1);
        Assert.NotNull((await RefusalOf(At("a.fits"))).Remedy);
    }

    // Whoever believes a header may fill the memory for minutes.
    private static Task<ImageException> RefusalOf(string file) =>
        Assert.ThrowsAsync<ImageException>(() => Task.Run(() => ArrayFile.Read(file).Dispose()).WaitAsync(TimeSpan.FromSeconds(20)));

    [Fact]
    public void What_is_cut_off_or_disturbed_anywhere_is_an_error_or_an_array_and_never_a_crash()
    {
        DebianPython.Run(
            "numpy, scipy.io, h5py, astropy",
            """
            import sys, numpy as np, scipy.io, h5py
            from astropy.io import fits
            folder = sys.argv[1]
            v = np.random.default_rng(1).normal(size=(9, 11))
            np.save(folder + '/a.npy', v)
            np.savez_compressed(folder + '/a.npz', v)
            scipy.io.savemat(folder + '/a.mat', {'v': v})
            scipy.io.savemat(folder + '/b.mat', {'v': v + 1j, 'w': 1}, do_compression=True)
            fits.writeto(folder + '/a.fits', v)
            with h5py.File(folder + '/a.h5', 'w') as f: f.create_dataset('v', data=v, chunks=(4, 4), compression='gzip')
            with h5py.File(folder + '/b.h5', 'w', libver='latest') as f: f['v'] = v + 1j
            np.savetxt(folder + '/a.txt', v)
            """,
            Folder
        );
        Random random = new(7);
        foreach (string file in Directory.GetFiles(Folder))
        {
            byte[] whole = File.ReadAllBytes(file);
            string where = At("disturbed" + Path.GetExtension(file));
            for (int i = 0; i < 150; i++)
            {
                byte[] bytes = i < 40 ? whole[..(whole.Length * i / 40)] : [.. whole];
                // Most structure stands in the beginning.
                for (int flips = i < 40 ? 0 : random.Next(1, 4); flips > 0; flips--)
                    bytes[random.Next(i % 2 == 0 ? bytes.Length : Math.Min(700, bytes.Length))] = (byte)random.Next(256);
                File.WriteAllBytes(where, bytes);
                try
                {
                    ArrayFile.Read(where).Dispose();
                }
                catch (ImageException error)
                {
                    Assert.NotNull(error.Remedy);
                    Assert.StartsWith(where, error.Where);
                }
            }
            File.Delete(where);
        }
    }

    [Fact]
    public void Other_files_are_no_arrays()
    {
        File.WriteAllBytes(At("a"), [0, 1, 2, 3]);
        Assert.Contains("no array", Assert.Throws<ImageException>(() => ArrayFile.Read(At("a"))).What);
        File.WriteAllBytes(At("a"), []);
        Assert.Contains("zero bytes", Assert.Throws<ImageException>(() => ArrayFile.Read(At("a"))).What);
        Assert.Contains("no such file", Assert.Throws<ImageException>(() => ArrayFile.Read(At("none"))).What);
        File.WriteAllBytes(At("a"), [.. "PK\x03\x04"u8, 1, 2, 3]);
        Assert.Contains("damaged", Assert.Throws<ImageException>(() => ArrayFile.Read(At("a"))).What);
    }

    private static ReadOnlySpan<byte> NpyStart => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0];
}
