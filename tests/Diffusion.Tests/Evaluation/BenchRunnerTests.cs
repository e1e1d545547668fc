using System.Text.RegularExpressions;
using Diffusion.Checkpoints;
using Diffusion.Evaluation;
using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Metrics;
using Diffusion.Models;
using Diffusion.Native;
using Diffusion.Numerics;
using Diffusion.Operators;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.Solvers;
using Diffusion.Tests.Metrics;
using Diffusion.Tests.Solvers;

namespace Diffusion.Tests.Evaluation;

/// <summary>A benchmark at work, with a prior in closed form.</summary>
public sealed class BenchRunnerTests : IDisposable
{
    private static readonly ImageShape Shape = new(3, 24, 32);
    private readonly string _folder = Directory.CreateTempSubdirectory("bench").FullName;
    private readonly BenchPriors _priors = new(ComputePolicy.Reference);
    private readonly BenchPlan _plan;

    public BenchRunnerTests()
    {
        NativeLibraries.LoadTorch();
        GaussianPrior prior = new(Shape);
        _priors.Add("gaussian", "sha", prior);
        foreach (string name in (string[])["a", "b"])
        {
            // 25x33: cropped to what a factor of 4 divides, and to the prior's size.
            using Tensor noise = new PhiloxNoise(7, [ImageKey.FromName(name)]).Draw(NoiseRole.Start, 1, 3, 24, 32);
            using Tensor x = (prior.Covariance(noise, 0.5) + prior.Mean + 1) / 2;
            using Tensor padded = torch.nn.functional.pad(x, [0, 1, 0, 1], PaddingModes.Replicate);
            ImageFile.Write(Path.Combine(_folder, name + ".png"), padded);
        }
        _plan = new BenchPlan
        {
            Title = "Test <b>",
            Pictures = [Path.Combine(_folder, "a.png"), Path.Combine(_folder, "b.png")],
            Sizes = [BenchSize.Parse("crop 24x32")],
            Operators = [new("downsample:factor=4"), new("mask:random=0.5,seed=1", [0.05])],
            Solvers = [new("dpir"), new("cm4ir") { Set = new Dictionary<string, string> { ["eta"] = "0.5" } }],
            Priors = ["gaussian"],
            Steps = [2, 3],
            Shown = 1,
        }.Checked(ShippedOperators.Catalog, SolverCatalog.BuiltIn);
    }

    private string TablePath => Path.Combine(_folder, "results.csv");

    private static void ToGray(string path)
    {
        using Picture color = ImageFile.Read(path);
        using Tensor gray = color.Pixels.mean([1], keepdim: true);
        ImageFile.Write(path, gray);
    }

    private (BenchRunner Runner, List<BenchProgress> Told) Run(
        BenchPlan plan,
        CancellationTokenSource? stop = null,
        int after = int.MaxValue
    )
    {
        using BenchTable table = BenchTable.Open(TablePath);
        List<BenchProgress> told = [];
        BenchRunner runner = new(plan, table, _priors, ComputePolicy.Reference)
        {
            Pictures = new BenchPictures(Path.Combine(_folder, "pictures"), plan),
            Progress = progress =>
            {
                told.Add(progress);
                if (told.Count == after)
                    stop!.Cancel();
            },
        };
        if (stop is null)
            runner.Run();
        else
            Assert.ThrowsAny<OperationCanceledException>(() => runner.Run(stop.Token));
        return (runner, told);
    }

    [Fact]
    public void Every_combination_gives_a_row_and_a_second_run_none()
    {
        (BenchRunner runner, List<BenchProgress> told) = Run(_plan);
        Assert.Empty(runner.Failures);
        // 2 pictures x 2 operators x (2 baselines + 2 solvers x 2 steps).
        Assert.Equal((16, 24), (runner.Total, runner.Rows.Count));
        Assert.Equal(16, told[^1].Done);
        Assert.Equal(24, runner.Rows.Select(row => row.Cell).Distinct().Count());
        Assert.All(runner.Rows, row => Assert.Equal((24, 32), (row.Height, row.Width)));
        Assert.All(runner.Rows.Where(row => row.Role == BenchRole.Solver), row =>
            Assert.InRange(row.Evaluations, 1, row.Cell.Steps!.Value)
        );
        Assert.Equal(
            ["Tikhonov", "bicubic", "median fill", "harmonic fill"],
            runner.Rows.Where(row => row.Role != BenchRole.Solver).Select(row => row.Cell.Method).Distinct()
        );
        string before = File.ReadAllText(TablePath);
        Assert.Empty(Run(_plan).Told);
        Assert.Equal(before, File.ReadAllText(TablePath));
    }

    [Fact]
    public void A_run_that_was_stopped_goes_on_to_the_same_table()
    {
        using CancellationTokenSource stop = new();
        Assert.Equal(5, Run(_plan, stop, after: 5).Told.Count);
        Assert.Equal(24 - 5, Run(_plan).Told.Count);
        string[] parts = Metrics(File.ReadAllLines(TablePath));
        File.Delete(TablePath);
        Run(_plan);
        Assert.Equal(Metrics(File.ReadAllLines(TablePath)).Order(), parts.Order());

        static string[] Metrics(string[] lines) =>
            [.. lines.Skip(1).Select(line => Regex.Replace(line, @"(,\d+),[^,]*,[^,]*(,\d+,[^,]*)$", "$1$2"))];
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_row_is_what_degrade_and_restore_give(bool gray)
    {
        if (gray)
            ToGray(_plan.Pictures[1]);
        (BenchRunner runner, _) = Run(_plan with { Noise = [0.03] });
        BenchRow row = runner.Rows.Single(row =>
            row.Cell is { Picture: "b.png", Operator: "downsample:factor=4", Method: "cm4ir", Steps: 3 }
        );
        using Picture file = ImageFile.Read(Path.Combine(_folder, "b.png"));
        using Picture clean = new(BenchSize.Parse("crop 24x32").Apply(file.Pixels)) { Name = file.Name };
        using DegradedPicture degraded = new Degrader(ShippedOperators.Catalog.Parse("downsample:factor=4"), 0.03).Degrade(clean);
        using Restorer restorer = new(
            new RestoreOptions
            {
                Solver = "cm4ir",
                Steps = 3,
                Set = _plan.Solvers[1].Set,
                Policy = ComputePolicy.Reference,
            },
            new GaussianPrior(Shape)
        );
        using RestoredPicture restored = restorer.Restore(degraded.Measurement);
        Assert.Equal(PictureMetrics.Compute(restored.Picture.Pixels, clean.Pixels).Psnr, row.Metrics.Psnr, 9);
        Assert.Equal(gray ? 1 : 3, clean.Channels);
        Assert.Equal(restored.Evaluations, row.Evaluations);
        Assert.True(row.Metrics.Psnr > 15, $"{row.Metrics.Psnr} dB");
    }

    [Fact]
    public void Another_picture_of_the_same_name_is_measured_again()
    {
        BenchPlan plan = _plan with { Solvers = [], Operators = [new("downsample:factor=4")] };
        Run(plan);
        File.Copy(plan.Pictures[1], plan.Pictures[0], overwrite: true);
        Assert.Equal(2, Run(plan).Told.Count);
    }

    [Fact]
    public void Live_tensors_do_not_grow_from_row_to_row()
    {
        using BenchTable table = BenchTable.Open(TablePath);
        List<long> live = [];
        BenchRunner runner = new(_plan, table, _priors, ComputePolicy.Reference)
        {
            Pictures = new BenchPictures(Path.Combine(_folder, "pictures"), _plan),
            Progress = _ => live.Add(DisposeScopeManager.Statistics.ThreadTotalLiveCount),
        };
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        runner.Run();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        // The second picture's rows against the first's.
        Assert.Equal(live[..12], live[12..]);
    }

    [Fact]
    public void What_fails_is_told_and_the_others_go_on()
    {
        BenchPlan plan = _plan with { Operators = [new("crop:30x30+20+20"), new("blur:sigma=1")], Solvers = [new("dpir")], Steps = [2] };
        (BenchRunner runner, List<BenchProgress> told) = Run(plan);
        Assert.Equal(2, runner.Failures.Count);
        Assert.All(runner.Failures, failure => Assert.Contains("crop", failure));
        Assert.Equal(4, told[^1].Done);
        // Of two pictures the solver, Tikhonov, and Richardson and Lucy.
        Assert.Equal(6, runner.Rows.Count);
        Assert.Equal(2, Run(plan).Runner.Failures.Count);
    }

    [Fact]
    public void Native_pictures_are_cropped_to_what_the_operator_divides()
    {
        (BenchRunner runner, _) = Run(_plan with { Sizes = [BenchSize.Native], Solvers = [], Operators = [new("downsample:factor=4")] });
        Assert.All(runner.Rows, row => Assert.Equal((24, 32), (row.Height, row.Width)));
        Assert.NotEmpty(runner.Rows);
    }

    [Fact]
    public void A_margin_is_seen_by_local_operators_and_not_restored()
    {
        BenchPlan plan = _plan with
        {
            Operators = [new("blur:sigma=1"), new("downsample:factor=4"), new("mask:random=0.5,seed=1")],
            Solvers = [],
            Noise = [0],
            Sizes = [BenchSize.Native],
        };
        Run(plan);
        (BenchRunner runner, _) = Run(plan with { Margin = 5 });
        Assert.Empty(runner.Failures);
        Assert.Equal(
            [(15, 23), (8, 16), (15, 23)],
            runner.Rows.Where(row => row.Role == BenchRole.Reference && row.Cell.Picture == "a.png").Select(row => (row.Height, row.Width))
        );
        // What lies beyond the picture cannot be undone: without a margin and noise, Tikhonov inverts the blur better.
        double Psnr(BenchPlan plan) =>
            Run(plan)
                .Runner.Rows.Where(row => row.Cell.Method == "Tikhonov" && row.Cell.Operator == "blur:sigma=1")
                .Average(row => row.Metrics.Psnr);
        Assert.True(
            Psnr(plan) > Psnr(plan with { Margin = 5 }) + 3,
            $"{Psnr(plan)} dB without a margin, {Psnr(plan with { Margin = 5 })} dB with one"
        );
    }

    [Fact]
    public void Lpips_is_measured_with_the_weights_of_a_file()
    {
        string file = Path.Combine(_folder, "squeeze.safetensors");
        using ComputeScope scope = new();
        Dictionary<string, Tensor> weights = LpipsTests.RandomSqueezeNet();
        weights.Add("classifier.1.weight", torch.zeros(2, 2));
        SafetensorsWriter.Write(file, weights);
        using Lpips lpips = LpipsWeights.Open(file),
            expected = new(LpipsNet.Squeeze, weights);
        Assert.Equal(LpipsNet.Squeeze, lpips.Net);
        Tensor a = torch.rand(1, 3, 40, 40),
            b = torch.rand(1, 3, 40, 40);
        Assert.Equal(expected.Distance(a, b).item<float>(), lpips.Distance(a, b).item<float>());
        SafetensorsWriter.Write(file, new Dictionary<string, Tensor> { ["classifier.1.weight"] = torch.zeros(2, 2) });
        Assert.Contains("features.0.weight", Assert.Throws<CheckpointException>(() => LpipsWeights.Open(file)).Message);
    }

    [Fact]
    public void The_report_stands_alone_and_escapes_what_it_shows()
    {
        (BenchRunner runner, _) = Run(_plan);
        BenchPictures pictures = new(Path.Combine(_folder, "pictures"), _plan);
        string html = BenchReport.Write(runner.Rows, _plan.Title, "About & more.", pictures);
        Assert.Contains("<h1>Test &lt;b&gt;</h1>", html);
        Assert.Contains("About &amp; more.", html);
        Assert.DoesNotContain("{{", html);
        Assert.DoesNotMatch("(src|href)=\"?(http|//|file)", html);
        Assert.Equal(2, Regex.Count(html, "<table>"));
        Assert.Equal(2 * 6, Regex.Count(html, "<tr class="));
        Assert.Contains("<polyline", html);
        // One picture of two, in two degradations: measurement, original, 2 baselines, 4 restorations.
        Assert.Equal(2 * 8, Regex.Count(html, "data:image/webp;base64,"));
        Assert.DoesNotContain("NaN", html);
    }

    public void Dispose()
    {
        _priors.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
