using System.Reflection;
using System.Text.Json.Nodes;
using Diffusion.Imaging;

namespace Diffusion.EndToEnd;

/// <summary>Inputs as people bring them: the right value, or the right refusal.</summary>
public sealed class FieldTests : IDisposable
{
    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    private Outcome Run(params string[] args) => DiffusionCommand.Run(_workspace.Folder, args);

    private static string Field(string folder, string file) =>
        Path.Combine(
            typeof(FieldTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!,
            "tests",
            "field",
            folder,
            file
        );

    private JsonNode Restored(params string[] args) =>
        JsonNode.Parse(Run(["restore", .. args, "-n", "8", "--json", "--force"]).Expect(0).Output)!;

    private static double Psnr(JsonNode result) => (double)result["metrics"]!["psnr"]!;

    [Fact]
    public void Nothing_is_measured()
    {
        TestPictures.Write(_workspace["photo.png"], 32, 32);
        Run("restore", "photo.png", "-A", "mask:random=1", "--noise", "0.01", "-o", "o.png").ExpectError(1, "Nothing is known", "photo");
        Assert.Equal(["photo.png"], _workspace.Files);
    }

    [Fact]
    public void NaN_is_missing_with_and_without_a_mask()
    {
        string y = Field("missing", "nan.tif"),
            good = Field("missing", "good.png"),
            reference = Field("missing", "ref.png");
        JsonNode masked = Restored(
                y,
                "-A",
                $"blur:sigma=1.5|mask:file=\"{good}\"",
                "--noise",
                "0.01",
                "-o",
                "masked.tif",
                "--reference",
                reference
            ),
            plain = Restored(y, "-A", "blur:sigma=1.5", "--noise", "0.01", "-o", "plain.tif", "--reference", reference);
        Assert.True(Psnr(masked) > 33, $"{masked}");
        Assert.Equal(Psnr(masked), Psnr(plain), 0.05);
    }

    [Fact]
    public void A_mask_that_is_white_where_the_picture_is_to_be_filled_in()
    {
        string y = Field("masks", "holes.png"),
            mask = Field("masks", "mask_white_is_hole.png"),
            reference = Field("masks", "ref.png");
        JsonNode wrong = Restored(y, "-A", $"mask:file=\"{mask}\"", "--noise", "0.01", "-o", "wrong.png");
        Assert.Contains("invert=true", (string)wrong["hint"]!);
        JsonNode right = Restored(
            y,
            "-A",
            $"mask:file=\"{mask}\",invert=true",
            "--noise",
            "0.01",
            "-o",
            "right.png",
            "--reference",
            reference
        );
        Assert.Null((string?)right["hint"]);
        Assert.True(Psnr(right) > 28, $"{right}");
    }

    [Fact]
    public void Transparent_holes_are_their_own_mask()
    {
        using (
            Picture holes = ImageFile.Read(Field("masks", "holes.png")),
                white = ImageFile.Read(Field("masks", "mask_white_is_hole.png"))
        )
        {
            using Tensor alpha = 1 - white.Pixels.mean([1], keepdim: true);
            ImageFile.Write(_workspace["holes.png"], holes.Pixels, alpha: alpha);
        }
        JsonNode result = Restored(
            "holes.png",
            "-A",
            "mask:file=holes.png",
            "--noise",
            "0.01",
            "-o",
            "filled.png",
            "--reference",
            Field("masks", "ref.png")
        );
        Assert.True(Psnr(result) > 28, $"{result}");
        using Picture filled = ImageFile.Read(_workspace["filled.png"]);
        Assert.Null(filled.Alpha);
    }

    [Fact]
    public void Frequencies_of_a_scanner_with_their_own_mask()
    {
        string frequencies = Field("kspace", "kspace.npz");
        JsonNode restored = Restored(
            frequencies,
            "-A",
            $"fourier:mask=\"{frequencies}\"",
            "--noise",
            "0.02",
            "-o",
            "o.png",
            "--reference",
            Field("kspace", "ref.png")
        );
        Assert.Null((string?)restored["hint"]);
        Assert.True(Psnr(restored) > 23.5, $"{restored}");
    }

    [Fact]
    public void Counts_of_a_camera_need_a_range_and_come_back_as_counts()
    {
        string counts = Field("counts", "counts.tif"),
            reference = Field("counts", "ref.png");
        foreach (string level in (string[])["auto", "0.01"])
            Run("restore", counts, "-A", "blur:sigma=1.5", "--noise", level, "-o", "o.tif").ExpectError(1, "[0,1]", "--range");
        JsonNode result = Restored(
            counts,
            "-A",
            "blur:sigma=1.5",
            "--noise",
            "40dn",
            "--range",
            "100..4100",
            "-o",
            "o.tif",
            "--reference",
            reference
        );
        Assert.Equal(0.01, (double)result["noise"]!, 1e-9);
        Assert.True(Psnr(result) > 33.3, $"{result}");
        using Picture back = ImageFile.Read(_workspace["o.tif"]),
            clean = ImageFile.Read(reference);
        Assert.Equal(32, back.BitDepth);
        using Tensor error = ((back.Pixels - 100) / 4000 - clean.Pixels).square().mean();
        Assert.True(-10 * Math.Log10(error.item<float>()) > 33.3);
        // The stretched file gives the same, under the same name: that names its random draws.
        string stretchedFile = Path.Combine(Directory.CreateDirectory(_workspace["stretched"]).FullName, "counts.tif");
        using (Picture raw = ImageFile.Read(counts))
        using (Tensor stretched = (raw.Pixels - 100) / 4000)
            ImageFile.Write(stretchedFile, stretched, new WriteOptions { BitDepth = 32 });
        Restored(stretchedFile, "-A", "blur:sigma=1.5", "--noise", "0.01", "-o", "s.tif");
        using Picture plain = ImageFile.Read(_workspace["s.tif"]);
        using Tensor gap = ((back.Pixels - 100) / 4000 - plain.Pixels).abs().max();
        Assert.True(gap.item<float>() < 1e-4, $"{gap.item<float>()}");
    }

    [Theory]
    [InlineData(null, 32)]
    [InlineData("16", 16)]
    [InlineData("8", 8)]
    public void Float_files_give_float_files_unless_another_depth_is_asked_for(string? depth, int bits)
    {
        using (Picture photo = TestPictures.Crop(32, 32))
            ImageFile.Write(_workspace["f.tif"], photo.Pixels, new WriteOptions { BitDepth = 32 });
        Restored(["f.tif", "-A", "identity", "--noise", "0.01", "-o", "o.tif", .. depth is null ? [] : (string[])["--depth", depth]]);
        using Picture restored = ImageFile.Read(_workspace["o.tif"]);
        Assert.Equal(bits, restored.BitDepth);
    }

    [Fact]
    public void Float_results_keep_values_above_one()
    {
        using (Tensor bright = torch.full([1, 1, 32, 32], 3f))
            ImageFile.Write(_workspace["f.tif"], bright, new WriteOptions { BitDepth = 32 });
        Restored("f.tif", "-A", "identity", "--noise", "0.02", "--range", "0..2.8", "-o", "o.tif");
        using Picture restored = ImageFile.Read(_workspace["o.tif"]);
        Assert.Equal(3, restored.Pixels.mean().item<float>(), 0.1);
    }

    [Fact]
    public void Bits_that_are_not_used_are_said()
    {
        using (Tensor ramp = torch.linspace(0, 4095.0 / 65535, 1024).reshape(1, 1, 32, 32))
            ImageFile.Write(_workspace["raw.tif"], ramp, new WriteOptions { BitDepth = 16 });
        Outcome outcome = Run("restore", "raw.tif", "-A", "identity", "--noise", "0.01", "-n", "1", "-o", "o.tif").Expect(0);
        Assert.Contains("--range 0..4095", outcome.Error);
    }

    [Fact]
    public void Arrays_are_measurements_and_are_compared()
    {
        using (Picture photo = TestPictures.Crop(32, 40, gray: true))
        using (Tensor plane = photo.Pixels[0, 0])
        {
            ImageFile.Write(_workspace["photo.tif"], photo.Pixels, new WriteOptions { BitDepth = 32 });
            using FileStream stream = File.Create(_workspace["y.npz"]);
            Restoration.NpzFile.Write(stream, "picture", plane);
        }
        Restored("y.npz", "--key", "picture", "-A", "identity", "--noise", "0.01", "-o", "o.tif");
        Outcome scores = Run("metrics", "y.npz", "photo.tif", "--float", "--json").Expect(0);
        Assert.Null((double?)JsonNode.Parse(scores.Output)!["psnr"]);
        Run("restore", "y.npz", "--key", "z", "-A", "identity", "--noise", "0.01").ExpectError(1, "no array \"z\"");
    }

    [Fact]
    public void Noise_that_grows_with_the_signal_is_found_or_told()
    {
        string y = Field("shot", "shot.tif"),
            reference = Field("shot", "ref.png");
        foreach (string noise in (string[])["auto-poisson", "poisson:gain=0.005", "poisson:gain=327.675dn,read=0"])
        {
            JsonNode result = Restored(y, "-A", "identity", "--noise", noise, "-o", "o.png", "--reference", reference);
            Assert.True(Psnr(result) > 39, $"{noise}: {result}");
            Assert.StartsWith("poisson:gain=0.00", (string)result["noise_model"]!);
            Assert.Equal(noise == "auto-poisson", (bool)result["noise_estimated"]!);
            Assert.InRange((double)result["noise"]!, 0.016, 0.019);
            Assert.InRange((double)result["whitened_residual"]!, 0.8, 1.1);
        }
        string plan = Run("restore", y, "-A", "identity", "--noise", "auto-poisson", "-o", "p.png", "--dry-run").Expect(0).Output;
        Assert.Contains("noise poisson:gain=0.00", plan);
        Assert.Contains("(estimated)", plan);
        JsonNode record = JsonNode.Parse(File.ReadAllText(_workspace["o.png.json"]))!;
        Assert.StartsWith("poisson:gain=0.00", (string)record["noise_model"]!);
    }
}
