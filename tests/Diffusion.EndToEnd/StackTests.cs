using System.Text.Json.Nodes;
using Diffusion.Imaging;

namespace Diffusion.EndToEnd;

/// <summary>Stacks, channels and numbers of scientific files through the command.</summary>
public sealed class StackTests : IDisposable
{
    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    private Outcome Run(params string[] args) => DiffusionCommand.Run(_workspace.Folder, args);

    private static string[] Denoise(string input, string output, params string[] more) =>
        ["restore", input, "-A", "identity", "--noise", "0.02", "-n", "1", "-o", output, "--force", .. more];

    private void WriteStack(string name, int pages, int bits)
    {
        using Picture photo = TestPictures.Crop(32, 40, gray: true);
        Picture[] all =
        [
            .. Enumerable
                .Range(0, pages)
                .Select(i => new Picture(photo.Pixels.roll(5 * i, 3)) { BitDepth = bits, FullScale = bits == 32 ? 1 : (1 << bits) - 1 }),
        ];
        ImageFile.Write(_workspace[name], all);
    }

    private Picture Page(string name, int page) => ImageFile.Read(_workspace[name], new ReadOptions { Page = page });

    private static double Gap(Picture one, Picture other)
    {
        using Tensor gap = (one.Pixels - other.Pixels).abs().max();
        return gap.item<float>();
    }

    [Theory]
    [InlineData("s.tif", 16), InlineData("s.tif", 32), InlineData("s.fits", 32)]
    public void Every_page_of_a_stack_is_restored_as_it_is_alone(string file, int bits)
    {
        WriteStack(file, 3, bits);
        string output = "out" + Path.GetExtension(file);
        JsonNode json = JsonNode.Parse(Run(Denoise(file, output, "--pages", "all", "--json", "--reference", file)).Expect(0).Output)!;
        Assert.InRange((double)json["metrics"]!["psnr"]!, 30, 60);
        Assert.Equal((3, bits), (ImageFile.Identify(_workspace[output]).Frames, ImageFile.Identify(_workspace[output]).BitDepth));
        for (int page = 1; page <= 3; page++)
        {
            string alone = $"p{page}" + Path.GetExtension(file);
            Run(Denoise(file, alone, "--pages", $"{page}")).Expect(0);
            using Picture whole = Page(output, page),
                single = Page(alone, 1),
                input = Page(file, page);
            Assert.Equal(1, ImageFile.Identify(_workspace[alone]).Frames);
            Assert.InRange(Gap(whole, single), 0, 0.01);
            Assert.InRange(Gap(whole, input), 0.001, 0.3);
        }
        string[] scores = Run("metrics", output, file, "--pages", "all", "--json", "--float").Expect(0).Output.Trim().Split('\n');
        Assert.Equal(4, scores.Length);
    }

    [Fact]
    public void A_range_of_pages_is_a_shorter_stack_and_impossible_ones_are_refused_before_the_work()
    {
        WriteStack("s.tif", 4, 8);
        Run(Denoise("s.tif", "o.tif", "--pages", "2..3", "--batch", "2")).Expect(0);
        Assert.Equal(2, ImageFile.Identify(_workspace["o.tif"]).Frames);
        using (
            Picture first = Page("o.tif", 1),
                second = Page("s.tif", 2)
        )
            Assert.InRange(Gap(first, second), 0, 0.3);
        Run(Denoise("s.tif", "x.tif", "--pages", "2..9")).ExpectError(1, "no page 9", "1 to 4");
        Run(Denoise("s.tif", "x.png", "--pages", "all")).ExpectError(1, "PNG holds one picture", "TIFF");
        Run(Denoise("s.tif", "x.tif", "--pages", "some")).ExpectError(2, "--pages");
        Run("restore", "s.tif", "-A", "identity", "--noise", "0.02", "-n", "1", "--pages", "all").Expect(0);
        Assert.Equal(4, ImageFile.Identify(_workspace["s_restored.tif"]).Frames);
    }

    [Fact]
    public void Channels_that_are_no_colours_are_restored_one_by_one()
    {
        using (Picture photo = TestPictures.Crop(32, 40, gray: true))
        {
            using Tensor channels = torch.cat([.. Enumerable.Range(0, 5).Select(i => photo.Pixels.roll(5 * i, 3))], 1);
            ImageFile.Write(_workspace["c.tif"], channels, new WriteOptions { BitDepth = 16 });
            using Tensor third = channels.narrow(1, 2, 1);
            Directory.CreateDirectory(_workspace["alone"]);
            ImageFile.Write(_workspace["alone/c.tif"], third, new WriteOptions { BitDepth = 16 });
        }
        Run(Denoise("c.tif", "o.tif")).Expect(0);
        Run(Denoise("alone/c.tif", "third.tif")).Expect(0);
        using Picture restored = ImageFile.Read(_workspace["o.tif"], new ReadOptions { AnyChannels = true }),
            alone = ImageFile.Read(_workspace["third.tif"]);
        Assert.Equal((5, 16), (restored.Channels, restored.BitDepth));
        using Picture channel = new(restored.Pixels.narrow(1, 2, 1).clone());
        Assert.InRange(Gap(channel, alone), 0, 0.01);
        Run("metrics", "o.tif", "c.tif").Expect(0);
        Run(Denoise("c.tif", "o.png")).ExpectError(1, "5", "TIFF");
    }

    [Fact]
    public void Integers_of_thirty_two_bits_that_fill_none_of_them_need_a_range()
    {
        using (Picture photo = TestPictures.Crop(32, 40, gray: true))
        using (FileStream stream = File.Create(_workspace["y.npy"]))
        {
            Tensor counts = (photo.Pixels[0, 0] * 2000 + 100).to(ScalarType.Int64);
            stream.Write([0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0]);
            string header = "{'descr': '<i8', 'fortran_order': False, 'shape': (32, 40), }".PadRight(117) + "\n";
            stream.Write([118, 0]);
            stream.Write(System.Text.Encoding.ASCII.GetBytes(header));
            stream.Write(counts.contiguous().bytes);
        }
        Run(Denoise("y.npy", "o.tif")).ExpectError(1, "92233720368547", "--range");
        Run(Denoise("y.npy", "o.tif", "--range", "100..2100")).Expect(0);
        using Picture restored = ImageFile.Read(_workspace["o.tif"]);
        Assert.InRange(restored.Pixels.mean().item<float>() * 65535, 300, 1900);
    }

    [Fact]
    public void Metrics_take_files_in_their_own_numbers()
    {
        using (Picture photo = TestPictures.Crop(32, 40, gray: true))
        using (Tensor counts = photo.Pixels * 4000 + 100)
        {
            ImageFile.Write(_workspace["photo.tif"], photo.Pixels, new WriteOptions { BitDepth = 32 });
            ImageFile.Write(_workspace["counts.fits"], counts, new WriteOptions { BitDepth = 32 });
        }
        Run("metrics", "counts.fits", "photo.tif").ExpectError(1, "on [0,1]", "--range");
        Outcome scores = Run("metrics", "counts.fits", "photo.tif", "--range", "100..4100", "--json", "--float").Expect(0);
        Assert.True((double?)JsonNode.Parse(scores.Output)!["psnr"] is null or > 100);
    }
}
