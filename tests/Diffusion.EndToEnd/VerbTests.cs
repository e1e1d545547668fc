using System.Text.Json.Nodes;

namespace Diffusion.EndToEnd;

/// <summary>The other verbs, each once.</summary>
public sealed class VerbTests : IDisposable
{
    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    private Outcome Run(params string[] args) => DiffusionCommand.Run(_workspace.Folder, args);

    private static JsonNode[] Lines(Outcome outcome) =>
        [.. outcome.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];

    [Fact(Explicit = true)]
    [Trait("Category", "slow")]
    public void A_prior_is_measured_in_the_tasks_of_the_demo()
    {
        Directory.CreateDirectory(_workspace["tasks"]);
        // Neither side is a multiple of four, and one picture is gray.
        TestPictures.Write(_workspace["tasks/colour.png"], 98, 130);
        TestPictures.Write(_workspace["tasks/gray.png"], 101, 99, gray: true);
        JsonNode result = Assert.Single(Lines(Run("train", "validate", "tasks", "--tasks", "--json").Expect(0)));
        Assert.Equal(2, (int)result["photographs"]!);
        JsonArray tasks = result["restoration"]!.AsArray();
        Assert.Equal(["super-resolution", "deblurring", "inpainting"], tasks.Select(task => (string)task!["task"]!));
        Assert.All(tasks, task => Assert.InRange((double)task!["psnr"]! - (double)task["baseline_psnr"]!, 0.1, 6));
    }

    [Fact]
    public void The_demo_restores_three_photos_and_a_face_and_beats_the_baseline_where_it_should()
    {
        JsonNode[] tasks = Lines(Run("demo", "-n", "4", "--json", "-o", "pictures").Expect(0));
        Assert.Equal(["super-resolution", "deblurring", "inpainting", "face"], tasks.Select(task => (string)task["task"]!));
        foreach (JsonNode task in tasks)
        {
            Assert.True((int)task["evaluations"]! is > 0 and <= 4);
            Assert.True((double)task["seconds"]! > 0);
            foreach (string what in (string[])["measurement", "baseline", "restored"])
            {
                Assert.True(double.IsFinite((double)task[what]!["psnr"]!));
                Assert.InRange((double)task[what]!["ssim"]!, 0, 1);
            }
        }
        Assert.True((double)tasks[1]["restored"]!["psnr"]! > (double)tasks[1]["baseline"]!["psnr"]! + 0.5);
        Assert.True((double)tasks[3]["restored"]!["psnr"]! > (double)tasks[3]["baseline"]!["psnr"]! + 0.1, $"{tasks[3]}");
        Assert.True((double)tasks[3]["restored"]!["ssim"]! > (double)tasks[3]["baseline"]!["ssim"]! + 0.02, $"{tasks[3]}");
        Assert.Equal(8, _workspace.Files.Length);
    }

    [Fact]
    public void The_doctor_finds_everything_well()
    {
        Outcome outcome = Run("doctor").Expect(0);
        foreach (string word in (string[])["libtorch", "libvips", "prior", "All is well."])
            Assert.Contains(word, outcome.Output);
    }

    [Fact]
    public void Metrics_of_a_folder_come_with_their_mean()
    {
        Directory.CreateDirectory(_workspace["a"]);
        Directory.CreateDirectory(_workspace["b"]);
        foreach (string name in (string[])["1.png", "2.png"])
        {
            TestPictures.Write(_workspace["a/" + name], 64, 64);
            TestPictures.Write(_workspace["b/" + name], 64, 64);
        }
        JsonNode[] rows = Lines(Run("metrics", "a", "b", "--json").Expect(0));
        Assert.Equal(["a/1.png", "a/2.png", "mean"], rows.Select(row => ((string)row["file"]!).Replace('\\', '/')));
        Assert.Equal(1, (double)rows[2]["ssim"]!, 6);
    }

    [Fact]
    public void A_mask_is_shown_as_a_picture()
    {
        Assert.Contains(
            "mask:box=center",
            Run("operators", "show", "mask:box=center", "--size", "32x40", "-o", "mask.png").Expect(0).Output
        );
        using Imaging.Picture mask = Imaging.ImageFile.Read(_workspace["mask.png"]);
        Assert.Equal((32, 40), (mask.Height, mask.Width));
    }

    [Fact]
    public void An_operator_is_checked() =>
        Assert.DoesNotContain("FAIL", Run("operators", "check", "blur:sigma=1|downsample:factor=2").Expect(0).Output);

    [Fact]
    public void A_solver_shows_its_settings_and_presets()
    {
        JsonNode solver = Assert.Single(Lines(Run("solvers", "show", "cm4ir", "--json").Expect(0)));
        Assert.Contains(solver["settings"]!.AsArray(), setting => (string?)setting!["symbol"] == "zeta");
        Assert.Contains(solver["presets"]!.AsArray(), preset => (string)preset! == "paper");
    }

    [Fact]
    public void A_checkpoint_is_inspected_and_converted()
    {
        string photo = Path.Combine(Path.GetDirectoryName(DiffusionCommand.Path)!, "checkpoints", "photo", "photo.safetensors");
        Run("checkpoints", "convert", photo, "-o", "wide.safetensors", "--dtype", "fp32").Expect(0);
        JsonNode summary = Assert.Single(Lines(Run("checkpoints", "inspect", "wide.safetensors", "--json").Expect(0)));
        Assert.Equal("adm-unet", (string)summary["kind"]!);
        Assert.Equal(400, (int)summary["dtypes"]!["float32"]!);
    }

    [Fact]
    public void A_prior_is_inspected_by_its_name()
    {
        JsonNode summary = Assert.Single(Lines(Run("checkpoints", "inspect", "photo", "--json").Expect(0)));
        Assert.Equal("photo", (string)summary["entry"]!);
        Assert.Equal(20, summary["rmse"]!.AsArray().Count);
    }

    [Fact]
    public void The_bundled_prior_verifies() =>
        Assert.True((bool)Assert.Single(Lines(Run("checkpoints", "verify", "photo", "--json").Expect(0)))["loads_as_prior"]!);
}
