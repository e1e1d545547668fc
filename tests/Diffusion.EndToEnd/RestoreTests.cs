using System.Diagnostics;
using System.Reflection;
using System.Text.Json.Nodes;
using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Metrics;
using Diffusion.Operators;
using Diffusion.Restoration;

namespace Diffusion.EndToEnd;

/// <summary>Pictures in, pictures out.</summary>
public sealed class RestoreTests : IDisposable
{
    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    private Outcome Run(params string[] args) => DiffusionCommand.Run(_workspace.Folder, args);

    [Fact]
    public void A_photo_that_is_degraded_and_restored_is_better_than_the_classical_baseline()
    {
        TestPictures.Write(_workspace["photo.png"], 96, 128);
        Run("degrade", "photo.png", "-A", "blur:sigma=1.5", "--noise", "0.02", "-o", "blurred.tif").Expect(0);
        Assert.Equal(["blurred.json", "blurred.kernel.tif", "blurred.preview.png", "blurred.tif", "photo.png"], _workspace.Files);

        Outcome outcome = Run(
                "restore",
                "blurred.tif",
                "-s",
                "dpir",
                "-n",
                "4",
                "-o",
                "sharp.png",
                "--reference",
                "photo.png",
                "--sheet",
                "--json"
            )
            .Expect(0);

        JsonNode result = JsonNode.Parse(outcome.Output)!;
        Assert.Equal("blur:sigma=1.5", (string)result["operator"]!);
        Assert.Equal(4, (int)result["evaluations"]!);
        using Picture clean = ImageFile.Read(_workspace["photo.png"]);
        using Measurement y = Measurement.Open(_workspace["blurred.tif"]);
        using LinearOperator a = ShippedOperators.Catalog.Parse("blur:sigma=1.5").Bind(new ImageShape(3, 96, 128));
        double classical = Psnr.Compute(Baselines.Classical(a, y.Y, 0.02, clean.Pixels).X.clamp(0, 1), clean.Pixels);
        Assert.True((double)result["metrics"]!["psnr"]! > classical + 0.3, $"{result["metrics"]} against {classical:0.00} dB");
        Assert.Contains("sharp_sheet.png", _workspace.Files);
        Assert.Contains("sharp.png.json", _workspace.Files);
        Assert.DoesNotContain(_workspace.Files, file => file.EndsWith(".tmp", StringComparison.Ordinal));
    }

    [Fact]
    public void Odd_sizes_and_transparency_come_back_as_they_were()
    {
        TestPictures.Degrade(_workspace["odd.png"], "blur:sigma=1", 0.02, 61, 47, alpha: true);
        Run("restore", "odd.png", "-n", "1").Expect(0);
        using Picture restored = ImageFile.Read(_workspace["odd_restored.png"]);
        Assert.Equal((61, 47), (restored.Height, restored.Width));
        using Picture original = TestPictures.Crop(61, 47, alpha: true);
        Assert.True((restored.Alpha! - original.Alpha!).abs().max().item<float>() < 0.01);
    }

    [Fact]
    public void Gray_pictures_come_back_gray()
    {
        TestPictures.Degrade(_workspace["gray.png"], "blur:sigma=1.5", 0.02, 64, 64, gray: true);
        Run("restore", "gray.png", "-s", "cm4ir", "-n", "4").Expect(0);
        using Picture restored = ImageFile.Read(_workspace["gray_restored.png"]),
            clean = TestPictures.Crop(64, 64, gray: true),
            blurred = ImageFile.Read(_workspace["gray.png"]);
        Assert.Equal(1, restored.Channels);
        Assert.True(Psnr.Compute(restored.Pixels, clean.Pixels) > Psnr.Compute(blurred.Pixels, clean.Pixels) + 1);
    }

    [Fact]
    public void The_first_interrupt_ends_cleanly_and_leaves_nothing_half_written()
    {
        if (OperatingSystem.IsWindows())
            return;
        TestPictures.Degrade(_workspace["y.tif"], "blur:sigma=2", 0.02, 160, 160);
        string[] before = _workspace.Files;
        Process process = DiffusionCommand.Start(
            _workspace.Folder,
            "restore",
            "y.tif",
            "-s",
            "dpir",
            "-n",
            "1000",
            "-o",
            "x.png",
            "--verbose"
        );
        using Process _ = process;
        Thread.Sleep(TimeSpan.FromSeconds(4));
        // A shell's background jobs, and all that they start, ignore interrupts: there the test sends what a service manager would.
        const int Interrupt = 2,
            Terminate = 15;
        bool ignored =
            OperatingSystem.IsLinux()
            && (
                Convert.ToUInt64(
                    File.ReadLines("/proc/self/status").First(line => line.StartsWith("SigIgn:", StringComparison.Ordinal))[7..].Trim(),
                    16
                ) & (1UL << (Interrupt - 1))
            ) != 0;
        Signals.Send(process, ignored ? Terminate : Interrupt);
        DiffusionCommand.Finish(process).Expect(ignored ? 143 : 130);
        Assert.Equal(before, _workspace.Files);
    }

    [Fact]
    public void Pictures_pass_through_standard_input_and_output()
    {
        TestPictures.Degrade(_workspace["y.png"], "blur:sigma=1", 0.02, 40, 56);
        using Process process = DiffusionCommand.Start(
            _workspace.Folder,
            "restore",
            "-",
            "-A",
            "blur:sigma=1",
            "--noise",
            "0.02",
            "-n",
            "1",
            "-o",
            "-"
        );
        using (Stream input = process.StandardInput.BaseStream)
            input.Write(File.ReadAllBytes(_workspace["y.png"]));
        using Picture restored = ImageFile.Read(process.StandardOutput.BaseStream);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        Assert.Equal((40, 56), (restored.Height, restored.Width));
    }

    [Fact]
    public void Several_samples_give_their_mean_and_their_spread()
    {
        TestPictures.Degrade(_workspace["y.tif"], "downsample:factor=2", 0.02, 48, 48);
        Run("restore", "y.tif", "-s", "cm4ir", "-n", "2", "--samples", "2", "-o", "x.png").Expect(0);
        foreach (string file in (string[])["x.png", "x_sample1.png", "x_sample2.png", "x_spread.png", "x_spread.tif"])
            Assert.Contains(file, _workspace.Files);
    }

    [Fact]
    public void Data_steps_that_stopped_at_their_limit_are_said_once_a_run()
    {
        Directory.CreateDirectory(_workspace["in"]);
        for (int i = 0; i < 3; i++)
            TestPictures.Write(_workspace[$"in/{i}.png"], 48, 48);
        // Pseudo-inverses without a closed form and without noise.
        Outcome outcome = Run(
                "restore",
                "in",
                "-A",
                "blur:sigma=3,boundary=zero|blur:kernel=motion,length=9,boundary=reflect",
                "--noise",
                "0",
                "-s",
                "ddnm",
                "-n",
                "2",
                "--batch",
                "2",
                "-o",
                "out",
                "--json"
            )
            .Expect(0);
        string said = Assert.Single(outcome.Error.Split('\n'), line => line.Contains("data steps stopped at their limit"));
        JsonNode[] lines = [.. outcome.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
        // Two were restored together and have one log, the third has its own.
        int stopped = (int)lines[0]["inner_unconverged"]! + (int)lines[2]["inner_unconverged"]!;
        Assert.True(stopped > 0);
        Assert.StartsWith($"warning: 3 pictures: {stopped} of ", said);
    }

    [Fact]
    public void A_dry_run_tells_size_memory_and_time_and_writes_nothing()
    {
        TestPictures.Degrade(_workspace["y.tif"], "downsample:factor=4", 0.02, 64, 96);
        string[] before = _workspace.Files;
        Outcome plan = Run("restore", "y.tif", "-n", "4", "--dry-run").Expect(0);
        Assert.Contains("64x96", plan.Output);
        Assert.Contains("GB", plan.Output);
        Assert.Equal(before, _workspace.Files);
    }

    [Fact]
    public void An_operator_of_a_plug_in_degrades_and_restores()
    {
        string plugin = typeof(RestoreTests)
            .Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Single(a => a.Key == "SamplePlugin")
            .Value!;
        TestPictures.Write(_workspace["photo.png"], 40, 48);
        Run("degrade", "photo.png", "-A", "vignette:strength=0.8", "--noise", "0.01", "-o", "dark.tif", "--plugin", plugin).Expect(0);
        Run("restore", "dark.tif", "-s", "dpir", "-n", "2", "-o", "bright.png", "--plugin", plugin).Expect(0);
        using Picture restored = ImageFile.Read(_workspace["bright.png"]),
            clean = ImageFile.Read(_workspace["photo.png"]),
            dark = ImageFile.Read(_workspace["dark.tif"]);
        Assert.True(Psnr.Compute(restored.Pixels, clean.Pixels) > Psnr.Compute(dark.Pixels, clean.Pixels) + 3);
    }
}
