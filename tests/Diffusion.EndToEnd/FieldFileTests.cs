using System.Reflection;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Diffusion.Imaging;
using Vips = NetVips;

namespace Diffusion.EndToEnd;

/// <summary>Files as people bring them: kernels, raw counts, scans, profiles, depths.</summary>
public sealed class FieldFileTests : IDisposable
{
    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    private Outcome Run(params string[] args) => DiffusionCommand.Run(_workspace.Folder, args);

    private static string Repository =>
        typeof(FieldFileTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!;

    private static string Field(string folder, string file) => Path.Combine(Repository, "tests", "field", folder, file);

    private JsonNode Restored(params string[] args) => JsonNode.Parse(Run(["restore", .. args, "--json", "--force"]).Expect(0).Output)!;

    private static double Psnr(JsonNode result) => (double)result["metrics"]!["psnr"]!;

    [Fact]
    public void Every_input_of_the_shared_cases_stands_in_the_repository()
    {
        string shared = Environment.GetEnvironmentVariable("DIFFUSION_SHARED") ?? Path.Combine(Repository, "..", "shared");
        string cases = Path.Combine(shared, "field");
        Assert.SkipUnless(Directory.Exists(cases), $"There is no folder {cases}.");
        HashSet<string> own =
        [
            .. Directory.EnumerateFiles(Path.Combine(Repository, "tests", "field"), "*", SearchOption.AllDirectories).Select(Hash),
        ];
        string[] inputs =
        [
            .. Directory
                .EnumerateFiles(cases, "*", SearchOption.AllDirectories)
                .Where(file => Path.GetExtension(file) is not (".md" or ".py")),
        ];
        Assert.True(inputs.Length > 30);
        Assert.DoesNotContain(inputs, file => !own.Contains(Hash(file)));
    }

    private static string Hash(string file) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file)));

    [Fact]
    public void Faint_floats_stay_floats_and_the_range_that_shows_them_is_named()
    {
        string faint = Field("faint", "f01.tif");
        string[] args = ["-A", "blur:sigma=1.5", "--noise", "auto", "-o", "o.tif"];
        Outcome plain = Run(["restore", faint, .. args]).Expect(0);
        Assert.Contains("--range 0..0.019990964 ", plain.Error);
        CheckFloats();
        JsonNode ranged = Restored([faint, .. args, "--range", "0..0.019990964"]);
        Assert.Null((string?)ranged["hint"]);
        CheckFloats();

        void CheckFloats()
        {
            using Picture restored = ImageFile.Read(_workspace["o.tif"]);
            Assert.Equal(32, restored.BitDepth);
            Assert.InRange(restored.Pixels.max().item<float>(), 0.018f, 0.025f);
            using Tensor levels = restored.Pixels.flatten().unique(true, false, false, null).output;
            Assert.True(levels.numel() > 1000);
        }
    }

    [Fact]
    public void Doubles_are_pictures_and_kernels()
    {
        string doubles = Field("pictures", "f64.tif");
        JsonNode result = Restored(doubles, "-A", "identity", "--noise", "0.01", "-o", "o.tif", "--reference", doubles);
        Assert.True(Psnr(result) > 38, $"{result}");
        using Picture restored = ImageFile.Read(_workspace["o.tif"]);
        Assert.Equal(32, restored.BitDepth);
        Run("operators", "show", $"blur:kernel=\"{doubles}\"").Expect(0);
    }

    [Fact]
    public void A_kernel_of_several_planes_is_refused_and_one_of_them_restores()
    {
        string y = Field("focus", "y.tif"),
            planes = Field("kernels", "psf3d.tif");
        Run("restore", y, "-A", $"blur:kernel=\"{planes}\"", "--noise", "0.01", "-o", "x.tif").ExpectError(1, "15", "page=8");
        string[] rest = ["--noise", "0.01", "-o", "o.tif", "--reference", Field("focus", "ref.png")];
        JsonNode chosen = Restored([y, "-A", $"blur:kernel=\"{planes}\",page=8", .. rest]);
        Assert.True(Psnr(chosen) > 36.2, $"{chosen}");
        JsonNode alone = Restored([y, "-A", $"blur:kernel=\"{Field("kernels", "psf_focus.tif")}\"", .. rest]);
        Assert.Equal(Psnr(chosen), Psnr(alone), 1e-3);
    }

    [Fact]
    public void A_kernel_is_the_same_whatever_wrote_it()
    {
        string? first = null;
        foreach (string name in (string[])["k_f4.npy", "k_be.npy", "k_1hw.npy", "k_u2.npy", "k.npz", "k.mat", "k.fits", "k_f64.tif"])
        {
            string[] shown = Run("operators", "show", $"blur:kernel=\"{Field("kernels", name)}\"").Expect(0).Output.Split('\n');
            Assert.Contains(name, shown[0]);
            string picture = string.Join('\n', shown[1..]);
            Assert.Contains("#@#", picture);
            Assert.Equal(first ??= picture, picture);
        }
    }

    /// <summary>
    /// The file holds linear light under a black of 512 with the sensor's own balance of colours; the reference is a balanced picture in
    /// sRGB coding, so that balance and coding stand between the two.
    /// </summary>
    [Theory]
    [InlineData("GBRG", "512..16383", 32.2), InlineData("gbrg", "0..16383", 32.2), InlineData("1 2 0 1", "auto", 32.2)]
    public void A_mosaic_of_raw_counts(string pattern, string range, double least)
    {
        JsonNode result = Restored(
            Field("mosaic", "raw14_gbrg.tif"),
            "-A",
            $"bayer:pattern={pattern}",
            "--noise",
            "auto",
            "--range",
            range,
            "-o",
            "o.tif"
        );
        Assert.InRange((double)result["noise"]!, 0.008, 0.011);
        using Picture counts = ImageFile.Read(_workspace["o.tif"]),
            reference = ImageFile.Read(Field("mosaic", "ref.png"));
        Assert.Equal((3, 16), (counts.Channels, counts.BitDepth));
        double[] whites = [7740, 16700, 11050];
        using Tensor white = torch.tensor(whites).to(ScalarType.Float32).reshape(1, 3, 1, 1);
        using Tensor balanced = ((counts.Pixels * 65535 - 500) / (white - 500)).clamp(0, 1);
        using Tensor coded = Color.ToSrgb(balanced);
        using Tensor error = (coded - reference.Pixels).square().mean();
        double psnr = -10 * Math.Log10(error.item<float>());
        Assert.True(psnr > least, $"{psnr}");
        if (range == "auto")
            Assert.Contains(
                "--range 0..16383",
                Run("restore", Field("mosaic", "raw14_gbrg.tif"), "-A", "bayer:pattern=gbrg", "--noise", "auto", "-n", "1", "-o", "n.tif")
                    .Expect(0)
                    .Error
            );
    }

    [Theory]
    [InlineData("scan300.png"), InlineData("scan300.tif"), InlineData("photo.jpg")]
    public void Scans_keep_their_resolution_and_date(string name)
    {
        const double PerMillimetre = 300 / 25.4;
        string output = "o" + Path.GetExtension(name);
        Restored(Field("scans", name), "-A", "identity", "--noise", "0.01", "-n", "1", "-o", output);
        Check(PerMillimetre);
        Restored(Field("scans", name), "-A", "downsample:factor=2", "--noise", "0.01", "-n", "1", "-o", output);
        Check(2 * PerMillimetre);

        void Check(double wanted)
        {
            using Picture restored = ImageFile.Read(_workspace[output]);
            Assert.Equal(wanted, restored.Metadata.Resolution!.Value.Across, 0.01);
            Assert.Equal(wanted, restored.Metadata.Resolution!.Value.Down, 0.01);
            bool dated = File.ReadAllBytes(_workspace[output]).AsSpan().IndexOf("2020:01:01 00:00:00"u8) > 0;
            Assert.Equal(name == "photo.jpg", dated);
        }
    }

    [Theory]
    [InlineData("p3", "png"), InlineData("p3", "jpg"), InlineData("p3", "tif"), InlineData("cmyk", "jpg"), InlineData("cmyk", "tif")]
    public void Wide_colours_and_inks_become_those_of_sRGB_and_this_is_said(string profile, string extension)
    {
        TestPictures.Write(_workspace["photo.png"], 64, 64);
        using (Vips.Image photo = Vips.Image.NewFromFile(_workspace["photo.png"]))
        using (Vips.Image wide = photo.IccTransform(profile, inputProfile: "srgb", intent: Vips.Enums.Intent.Relative))
        {
            if (extension == "jpg")
                wide.Jpegsave(_workspace["wide.jpg"], q: 100);
            else
                wide.WriteToFile(_workspace["wide." + extension]);
            // Inks reach fewer colours.
            using Vips.Image back = wide.IccTransform("srgb", embedded: true, intent: Vips.Enums.Intent.Relative);
            back.WriteToFile(_workspace["wanted.png"]);
        }
        Outcome outcome = Run(
                "restore",
                "wide." + extension,
                "-A",
                "identity",
                "--noise",
                "0",
                "-n",
                "1",
                "-o",
                "o.png",
                "--reference",
                "wanted.png",
                "--json"
            )
            .Expect(0);
        double psnr = (double?)JsonNode.Parse(outcome.Output)!["metrics"]!["psnr"] ?? double.PositiveInfinity;
        Assert.True(psnr > 42, $"{psnr}");
        if (profile == "p3")
            Assert.Contains("converted from", outcome.Error);
    }

    [Fact]
    public void Sixteen_bits_are_compared_as_they_are_or_as_eight()
    {
        string one = Field("depth", "b.tif"),
            other = Field("depth", "a.tif");
        double Score(params string[] more) =>
            (double)JsonNode.Parse(Run(["metrics", one, other, "--json", .. more]).Expect(0).Output)!["psnr"]!;
        Assert.Equal(66.787, Score("--float"), 0.005);
        Assert.Equal(58.31, Score(), 0.01);
    }
}
