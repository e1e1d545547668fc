using System.Globalization;
using Diffusion.Arrays;
using Diffusion.Imaging;
using Diffusion.Runtime;

namespace Diffusion.Tests.Imaging;

/// <summary>
/// Random files over container, depth, layout, byte order and channels are read as Pillow and tifffile read them; what is not read is
/// refused as unsupported by name.
/// </summary>
public sealed class RandomFileTests(ITestOutputHelper output) : PictureFixture
{
    [Fact]
    public void Fifty_random_files_are_read_as_Pillow_and_tifffile_read_them() => Check(50, seed: 1, decoded: 40);

    [Fact(Explicit = true), Trait("Category", "slow")]
    public void Five_hundred_random_files_are_read_as_Pillow_and_tifffile_read_them() => Check(500, seed: 2, decoded: 400);

    private void Check(int count, int seed, int decoded)
    {
        string script = File.ReadAllText(Path.Combine(TestPaths.Repository, "tests", "Diffusion.Tests", "Imaging", "random_files.py"));
        string[] lines = DebianPython
            .Run("numpy, tifffile, astropy, PIL", script, Folder, $"{count}", $"{seed}")
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(count, lines.Length);
        List<string> wrong = [];
        int read = 0,
            refused = 0;
        foreach (string line in lines)
        {
            (string name, double tolerance) = (line.Split(' ')[0], double.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture));
            using NumericArray? expected = File.Exists(At(name + ".npy")) ? ArrayFile.Read(At(name + ".npy")) : null;
            try
            {
                using Picture picture = ImageFile.Read(At(name), new ReadOptions { AnyChannels = true });
                read++;
                if (expected is not null && Difference(picture, expected.Values, tolerance) is { } difference)
                    wrong.Add($"{name}: {difference}");
            }
            catch (ImageException error)
            {
                refused++;
                if (expected is not null || (!error.What.Contains("not supported") && !error.What.StartsWith("This is a ")))
                    wrong.Add($"{name}: {error.Message} {error.InnerException?.Message}");
            }
        }
        output.WriteLine($"{read} of {count} decoded, {refused} refused");
        Assert.True(wrong.Count == 0, $"{wrong.Count} of {count}:\n{string.Join('\n', wrong)}");
        Assert.InRange(read, decoded, count);
    }

    private static string? Difference(Picture picture, Tensor expected, double tolerance)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor actual = picture.Alpha is { } alpha ? torch.cat([picture.Pixels, alpha], 1) : picture.Pixels;
        Tensor wanted = expected.permute(2, 0, 1).unsqueeze(0);
        // A palette or a black-and-white picture may come as gray or as colours.
        if (wanted.shape[1] == 3 && actual.shape[1] == 1)
            actual = actual.expand_as(wanted);
        if (!actual.shape.SequenceEqual(wanted.shape))
            return $"[{string.Join(",", actual.shape)}] instead of [{string.Join(",", wanted.shape)}]";
        double error = (actual - wanted).abs().max().item<double>();
        return error <= tolerance + 1e-6 ? null : $"differs by {error}";
    }
}
