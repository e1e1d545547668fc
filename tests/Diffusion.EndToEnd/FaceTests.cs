using System.Diagnostics;
using System.Reflection;
using System.Text.Json.Nodes;
using Diffusion.Imaging;

namespace Diffusion.EndToEnd;

/// <summary>The faces of whole photographs through the built command.</summary>
public sealed class FaceTests : IDisposable
{
    private static readonly string Plugin = Metadata("SamplePlugin"),
        Demo = Path.Combine(Metadata("RepositoryRoot"), "src", "Diffusion.Cli", "demo");

    private readonly Workspace _work = new();

    public FaceTests() => File.Copy(Path.Combine(Demo, "astronaut.png"), _work["photo.png"]);

    public void Dispose() => _work.Dispose();

    [Fact]
    public void Nothing_but_the_face_changes_in_16_bits_with_transparency()
    {
        using (Picture photo = ImageFile.Read(_work["photo.png"]))
        using (DisposeScope scope = torch.NewDisposeScope())
            ImageFile.Write(
                _work["deep.png"],
                (photo.Pixels * 65535 / 1.003f).round() / 65535,
                new WriteOptions { BitDepth = 16 },
                torch.linspace(0, 1, photo.Pixels.shape[3]).expand(1, 1, photo.Pixels.shape[2], -1)
            );
        JsonNode face = Assert.Single(Told(Face("deep.png", "-o", "out.png", "--sheet", "--json"))["faces"]!.AsArray())!;
        double[] box = [.. face["box"]!.AsArray().Select(value => (double)value!)];
        Assert.Equal((5, 468), (face["points"]!.AsArray().Count, face["landmarks"]!.AsArray().Count));
        Assert.InRange((double)face["score"]!, 0.6, 1);
        Assert.InRange((double)face["identity_distance"]!, 1e-4, 0.5);
        using Picture before = ImageFile.Read(_work["deep.png"]),
            after = ImageFile.Read(_work["out.png"]);
        using DisposeScope outer = torch.NewDisposeScope();
        Assert.Equal(16, after.BitDepth);
        Assert.True(after.Alpha!.equal(before.Alpha!).all().item<bool>());
        Tensor changed = (before.Pixels != after.Pixels).any(1).squeeze(0);
        Tensor rows = changed.any(1).nonzero().squeeze(1),
            columns = changed.any(0).nonzero().squeeze(1);
        (double width, double height) = (box[2] - box[0], box[3] - box[1]);
        Assert.InRange(columns.min().item<long>(), box[0] - width, box[0]);
        Assert.InRange(columns.max().item<long>(), box[2], box[2] + width);
        Assert.InRange(rows.min().item<long>(), box[1] - height, box[1]);
        Assert.InRange(rows.max().item<long>(), box[3], box[3] + height);
        Assert.True(File.Exists(_work["out_sheet.png"]));
        Assert.Equal(468, JsonNode.Parse(File.ReadAllText(_work["out.png.json"]))!["faces"]![0]!["landmarks"]!.AsArray().Count);
    }

    [Fact]
    public void No_face_is_one_line_and_the_other_photographs_go_on()
    {
        TestPictures.Write(_work["plain.png"], 90, 120);
        TestPictures.Write(_work["one.png"], 1, 1);
        Face("plain.png", "-o", "out.png").ExpectError(1, "No face was found", "plain");
        Face("one.png", "-o", "out.png").ExpectError(1, "No face was found", "one");
        Outcome some = Face("one.png", "photo.png", "plain.png", "-o", "out/");
        Assert.Equal(1, some.Code);
        Assert.Contains("2 of 3 files failed", some.Error);
        Assert.Equal(["out/photo.png", "out/photo.png.json"], _work.Files.Where(file => file.StartsWith("out", StringComparison.Ordinal)));
    }

    [Fact]
    public void What_is_complete_is_not_made_again_unless_the_settings_change()
    {
        Face("photo.png", "-o", "out.png").Expect(0);
        Assert.Contains("1 of 1 outputs are complete", Face("photo.png", "-o", "out.png", "--resume").Expect(0).Error);
        Assert.DoesNotContain("complete", Face("photo.png", "-o", "out.png", "--resume", "--color-fix", "adain").Expect(0).Error);
        Face("photo.png", "-o", "out.png").ExpectError(2, "exists already");
    }

    [Fact]
    public void Identity_is_measured_against_the_original_and_the_photograph_can_be_enlarged()
    {
        DiffusionCommand
            .Run(_work.Folder, ["degrade", "photo.png", "-A", "blur:sigma=2", "--noise", "0", "--clip", "-o", "soft.png"])
            .Expect(0);
        JsonNode face = Told(Face("soft.png", "-o", "out.png", "--reference", "photo.png", "--scale", "2", "--json"))["faces"]![0]!;
        Assert.InRange((double)face["identity_distance_before"]!, 0.05, 1);
        Assert.NotEqual((double)face["identity_distance_before"]!, (double)face["identity_distance_after"]!);
        using Picture small = ImageFile.Read(_work["soft.png"]),
            large = ImageFile.Read(_work["out.png"]);
        Assert.Equal((2 * small.Width, 2 * small.Height), (large.Width, large.Height));
    }

    [Fact]
    public void An_aligned_face_is_taken_as_it_is()
    {
        TestPictures.Write(_work["square.png"], 64, 64);
        TestPictures.Write(_work["oblong.png"], 64, 80);
        Assert.Null(Told(Face("square.png", "-o", "out.png", "--aligned", "--json"))["faces"]![0]!["box"]);
        using Picture face = ImageFile.Read(_work["out.png"]);
        Assert.Equal((512, 512), (face.Width, face.Height));
        Face("oblong.png", "-o", "no.png", "--aligned").ExpectError(1, "square", "--aligned");
        Run("square.png", "-o", "no.png", "--model", "zero-shto").ExpectError(2, "zero-shto", "Did you mean \"zero-shot\"?");
    }

    [Fact]
    public void The_model_that_ships_restores_a_face_in_one_step()
    {
        JsonNode face = Told(Run("photo.png", "-o", "out.png", "--json"))["faces"]![0]!;
        Assert.Equal("face-small", (string)face["method"]!);
        Assert.InRange((double)face["identity_distance"]!, 1e-4, 0.35);
        using (Picture photo = ImageFile.Read(_work["photo.png"]))
        using (DisposeScope scope = torch.NewDisposeScope())
        {
            ImageFile.Write(_work["tiny.png"], photo.Pixels.narrow(2, 0, 64).narrow(3, 0, 64).contiguous());
            ImageFile.Write(_work["wide.png"], photo.Pixels.narrow(2, 0, 64).contiguous());
        }
        DiffusionCommand.Run(_work.Folder, "restore", "tiny.png", "--model", "face-small", "-o", "large.png").Expect(0);
        using Picture large = ImageFile.Read(_work["large.png"]);
        Assert.Equal((256, 256), (large.Width, large.Height));
        DiffusionCommand
            .Run(_work.Folder, "restore", "wide.png", "--model", "face-small", "-o", "no.png")
            .ExpectError(1, "square", "diffusion face");
        Run("photo.png", "-o", "no.png", "--model-set", "model=none.safetensors").ExpectError(1, "none.safetensors", "train face");
    }

    [Fact]
    public void Faces_of_a_group_that_lean_lie_or_are_cut_are_found_and_restored()
    {
        using (Picture photo = ImageFile.Read(_work["photo.png"]))
        using (DisposeScope scope = torch.NewDisposeScope())
        {
            Tensor quarter = photo.Pixels.transpose(2, 3).flip(2),
                // The face reaches from column 113 to 181: half of it is left.
                cut = torch.nn.functional.pad(photo.Pixels.narrow(3, 150, 170), [0L, 150L], PaddingModes.Constant, 0.5);
            ImageFile.Write(_work["group.png"], torch.cat([photo.Pixels, quarter, cut], 3).contiguous());
            ImageFile.Write(_work["half.png"], cut.contiguous());
        }
        JsonArray faces = Told(Face("group.png", "-o", "all.png", "--json"))["faces"]!.AsArray();
        Assert.InRange(faces.Count, 2, 3);
        double[] turned = [.. faces.Select(face => Math.Abs((double)face!["rotation"]!)).Order()];
        Assert.InRange(turned[0], 0, 20);
        Assert.InRange(turned[^1], 70, 110);
        Assert.Single(Told(Face("group.png", "-o", "one.png", "--only-center", "--json"))["faces"]!.AsArray());
        // What is found of half a face is found.
        Assert.InRange(Face("half.png", "-o", "half_out.png").Code, 0, 1);
    }

    [Fact]
    public void Photographs_come_by_streams_patterns_and_parts()
    {
        File.Copy(_work["photo.png"], _work["other photo.png"]);
        foreach (string part in (string[])["1/2", "2/2"])
        {
            Outcome outcome = Face("*.png", "-o", "out/", "--shard", part).Expect(0);
            Assert.Contains($"Part {part}", outcome.Error);
        }
        Assert.Equal(
            ["out/other photo.png", "out/other photo.png.json", "out/photo.png", "out/photo.png.json"],
            _work.Files.Where(file => file.StartsWith("out", StringComparison.Ordinal)).Select(file => file.Replace('\\', '/'))
        );
        using Process process = DiffusionCommand.Start(
            _work.Folder,
            ["face", "-", "-o", "-", "--plugin", Plugin, "--model", "unsharp-mask"]
        );
        using (Stream input = process.StandardInput.BaseStream)
            input.Write(File.ReadAllBytes(_work["photo.png"]));
        using MemoryStream output = new();
        process.StandardOutput.BaseStream.CopyTo(output);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        Assert.Equal(File.ReadAllBytes(_work["out/photo.png"]), output.ToArray());
    }

    private static JsonNode Told(Outcome outcome) => JsonNode.Parse(outcome.Expect(0).Output)!;

    private Outcome Face(params string[] words) => Run([.. words, "--plugin", Plugin, "--model", "unsharp-mask"]);

    private Outcome Run(params string[] words) => DiffusionCommand.Run(_work.Folder, ["face", .. words]);

    private static string Metadata(string key) =>
        typeof(FaceTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == key).Value!;
}
