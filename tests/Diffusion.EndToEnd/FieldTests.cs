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
}
