using System.Text;
using System.Text.Json.Nodes;
using Diffusion.Imaging;

namespace Diffusion.EndToEnd;

/// <summary>Numbers of scientific files on their way through degrade, restore and metrics.</summary>
public sealed class ScienceFlowTests : IDisposable
{
    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    private Outcome Run(params string[] args) => DiffusionCommand.Run(_workspace.Folder, args);

    private JsonNode Restored(params string[] args) =>
        JsonNode.Parse(Run(["restore", .. args, "--noise", "0.02", "-n", "1", "--json", "--force"]).Expect(0).Output)!;

    private PictureInfo Identify(string name) => ImageFile.Identify(_workspace[name]);

    // A gray picture of a photograph.
    private static Tensor Plane(int turn = 0)
    {
        using Picture photo = TestPictures.Crop(32, 40, gray: true);
        return photo.Pixels[0, 0].roll(5 * turn, 1).clone();
    }

    private void WriteArray(string name, Tensor values)
    {
        using FileStream stream = File.Create(_workspace[name]);
        string shape = string.Concat(values.shape.Select(side => $"{side}, "));
        string header = $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape}), }}".PadRight(117) + "\n";
        stream.Write([0x93, .. "NUMPY"u8, 1, 0, 118, 0, .. Encoding.ASCII.GetBytes(header)]);
        stream.Write(values.contiguous().bytes);
    }

    [Fact]
    public void Degrade_reads_what_restore_reads_and_keeps_what_still_holds()
    {
        using (Tensor plane = Plane())
        using (Tensor counts = plane.reshape(1, 1, 32, 40) * 4000 + 100)
        using (Picture picture = new(counts.clone()) { BitDepth = 32, FullScale = 1 })
            ImageFile.Write(_workspace["counts.tif"], picture);
        string[] args = ["-A", "downsample:factor=2", "--noise", "0.01", "-o"];
        Run(["degrade", "counts.tif", .. args, "y.tif"]).ExpectError(1, "on [0,1]", "--range");
        Run(["degrade", "counts.tif", .. args, "y.tif", "--range", "100..4100"]).Expect(0);
        using (Picture y = ImageFile.Read(_workspace["y.tif"]))
            Assert.InRange(y.Pixels.mean().item<float>(), 0.1f, 0.9f);
        // Restored and clean pictures are in counts again, and are compared on [0,1].
        JsonNode result = JsonNode.Parse(Run("restore", "y.tif", "-o", "r.tif", "--reference", "counts.tif", "--json").Expect(0).Output)!;
        Assert.True((double)result["metrics"]!["psnr"]! > 22, $"{result}");
        using (
            Picture back = ImageFile.Read(_workspace["r.tif"]),
                counts = ImageFile.Read(_workspace["counts.tif"])
        )
            Assert.Equal(1, back.Pixels.mean().item<float>() / counts.Pixels.mean().item<float>(), 0.02);
        Run("degrade", "counts.tif", "-A", "identity", "--noise", "0", "-o", "z.tif", "--pages", "all").ExpectError(2, "--pages");

        using (Tensor plane = Plane())
        using (Picture picture = new(plane.reshape(1, 1, 32, 40).clone()) { Metadata = new() { Resolution = (20, 20) } })
            ImageFile.Write(_workspace["scan.png"], picture);
        File.WriteAllText(_workspace["kernel.txt"], "0 0 0 0 0\n0 0 0 1 2\n0 0 0 1 2\n");
        Outcome degraded = Run("degrade", "scan.png", "-A", "blur:kernel=kernel.txt|downsample:factor=2", "--noise", "0.01", "-o", "s.tif");
        Assert.Contains("moves the picture", degraded.Expect(0).Error);
        using (Picture small = ImageFile.Read(_workspace["s.tif"]))
            Assert.Equal(10, small.Metadata.Resolution!.Value.Across, 0.01);
        Run("restore", "s.tif", "-n", "1", "-o", "large.png").Expect(0);
        using (Picture large = ImageFile.Read(_workspace["large.png"]))
            Assert.Equal(20, large.Metadata.Resolution!.Value.Across, 0.01);
    }

    [Fact]
    public void Floats_stay_floats_where_no_output_is_named()
    {
        using Tensor plane = Plane();
        using (Picture picture = new(plane.reshape(1, 1, 32, 40).clone()) { BitDepth = 32, FullScale = 1 })
        {
            ImageFile.Write(_workspace["f.tif"], picture);
            ImageFile.Write(_workspace["g.fits"], picture);
        }
        WriteArray("h.npy", plane);
        Run("degrade", "f.tif", "-A", "identity", "--noise", "0.01", "-o", "own.tif").Expect(0);
        Run(["restore", "f.tif", "g.fits", "h.npy", "own.tif", "-A", "identity", "--noise", "0.02", "-n", "1"]).Expect(0);
        foreach (string name in (string[])["f_restored.tif", "g_restored.fits", "h_restored.tif"])
            Assert.Equal(32, Identify(name).BitDepth);
        Assert.Equal(8, Identify("own_restored.png").BitDepth);
        Run("restore", "f.tif", "-A", "identity", "--noise", "0.02", "-n", "1", "--depth", "8").Expect(0);
        Assert.Equal(8, Identify("f_restored.png").BitDepth);
    }

    [Fact]
    public void Arrays_of_pages_are_stacks()
    {
        Tensor[] planes = [.. Enumerable.Range(0, 4).Select(Plane)];
        using (Tensor stack = torch.stack(planes))
            WriteArray("s.npy", stack);
        Directory.CreateDirectory(_workspace["alone"]);
        WriteArray("alone/s.npy", planes[2]);
        foreach (Tensor plane in planes)
            plane.Dispose();
        Run("restore", "s.npy", "-A", "identity", "--noise", "0.02", "-o", "x.tif").ExpectError(1, "[4, 32, 40]", "--pages all");
        JsonNode whole = Restored("s.npy", "-A", "identity", "--pages", "all", "-o", "o.tif", "--reference", "s.npy");
        Assert.InRange((double)whole["metrics"]!["psnr"]!, 30, 60);
        Assert.Equal((4, 32), (Identify("o.tif").Frames, Identify("o.tif").BitDepth));
        Restored("s.npy", "-A", "identity", "--pages", "3", "-o", "third.tif");
        Restored("alone/s.npy", "-A", "identity", "-o", "alone.tif");
        using (
            Picture third = ImageFile.Read(_workspace["third.tif"]),
                alone = ImageFile.Read(_workspace["alone.tif"])
        )
        using (Tensor gap = (third.Pixels - alone.Pixels).abs().max())
            Assert.True(gap.item<float>() < 0.01);
        Run("restore", "s.npy", "-A", "identity", "--noise", "0.02", "-o", "x.tif", "--pages", "5").ExpectError(1, "no page 5");
        Assert.Equal(5, Run("metrics", "o.tif", "s.npy", "--pages", "all", "--json").Expect(0).Output.Trim().Split('\n').Length);
    }

    [Fact]
    public void Samples_of_a_stack_are_stacks()
    {
        Tensor[] planes = [.. Enumerable.Range(0, 2).Select(Plane)];
        using (Tensor stack = torch.stack(planes))
            WriteArray("s.npy", stack);
        foreach (Tensor plane in planes)
            plane.Dispose();
        Run([
                .. (string[])["restore", "s.npy", "-A", "identity", "--noise", "0.1", "-n", "2", "--pages", "all"],
                .. (string[])["-s", "ddnm", "--samples", "2", "-o", "o.tif"],
            ])
            .Expect(0);
        foreach (string name in (string[])["o.tif", "o_sample1.tif", "o_sample2.tif", "o_spread.tif"])
            Assert.Equal(2, Identify(name).Frames);
        using Picture one = ImageFile.Read(_workspace["o_sample1.tif"], new ReadOptions { Page = 2 }),
            other = ImageFile.Read(_workspace["o_sample2.tif"], new ReadOptions { Page = 2 }),
            mean = ImageFile.Read(_workspace["o.tif"], new ReadOptions { Page = 2 });
        using Tensor gap = ((one.Pixels + other.Pixels) / 2 - mean.Pixels).abs().max();
        Assert.True(gap.item<float>() < 1e-4);
    }

    [Theory]
    [InlineData("crop:20x16+6+4", 4, 8, 0.5), InlineData("downsample:factor=2", 5.25, 6.25, 1)]
    [InlineData("downsample:factor=2,kernel=decimate,phase=0", 5.5, 6.5, 1), InlineData("blur:sigma=1", 10, 12, 0.5)]
    public void Places_on_the_sky_move_with_the_pixels(string spec, double across, double down, double step)
    {
        using (Tensor plane = Plane())
        using (FileStream stream = File.Create(_workspace["sky.fits"]))
        {
            string[] cards =
            [
                "SIMPLE  =                    T",
                "BITPIX  =                  -32",
                "NAXIS   =                    2",
                "NAXIS1  =                   40",
                "NAXIS2  =                   32",
                "CRPIX1  =                 10.0",
                "CRPIX2  =                 12.0",
                "CDELT1  =                  0.5",
                "END",
            ];
            stream.Write(Encoding.ASCII.GetBytes(string.Concat(cards.Select(card => card.PadRight(80))).PadRight(2880)));
            byte[] values = plane.contiguous().bytes.ToArray();
            for (int i = 0; i < values.Length; i += 4)
                Array.Reverse(values, i, 4);
            stream.Write(values);
            stream.Write(new byte[5760 - values.Length]);
        }
        Run("degrade", "sky.fits", "-A", spec, "--noise", "0.01", "-o", "y.fits").Expect(0);
        Check("y.fits", across, down, step);
        Assert.Equal(32, Identify("y.fits").BitDepth);
        Run("restore", "y.fits", "-n", "1", "-o", "r.fits").Expect(0);
        Assert.Equal((40, 32), (Identify("r.fits").Width, Identify("r.fits").Height));
        Check("r.fits", 10, 12, 0.5);

        void Check(string name, params double[] wanted)
        {
            string header = Encoding.ASCII.GetString(File.ReadAllBytes(_workspace[name]).AsSpan(0, 2880));
            foreach ((string key, double value) in new[] { "CRPIX1", "CRPIX2", "CDELT1" }.Zip(wanted))
            {
                string text = header[(header.IndexOf(key, StringComparison.Ordinal) + 9)..][..21];
                Assert.Equal(value, double.Parse(text, System.Globalization.CultureInfo.InvariantCulture), 2e-3);
            }
        }
    }
}
