using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Operators;
using Diffusion.Pipeline;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.Tests.Solvers;
using Diffusion.ZeroShot;

namespace Diffusion.Tests.Pipeline;

/// <summary>Jobs over files: parts, interruptions, failures.</summary>
public sealed class JobTests : IDisposable
{
    private const int Pictures = 9;
    private static readonly ImageShape Shape = new(3, 24, 32);
    private readonly string _folder = Directory.CreateTempSubdirectory("jobs").FullName;
    private readonly string[] _inputs;

    public JobTests()
    {
        string photos = Directory.CreateDirectory(Path.Combine(_folder, "photos")).FullName;
        _inputs = [.. Enumerable.Range(0, Pictures).Select(i => Path.Combine(photos, $"{i}.png"))];
        foreach (string file in _inputs)
        {
            using ComputeScope scope = new();
            Tensor noise = new PhiloxNoise(1, [ImageKey.FromName(Path.GetFileName(file))]).Draw(NoiseRole.Start, Shape.Batch(1));
            ImageFile.Write(file, (0.5 + 0.15 * noise).clamp(0, 1));
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(2), InlineData(4)]
    public void Parts_in_any_order_write_what_one_process_writes(int parts)
    {
        Degrade("whole", null, _inputs);
        Restore("whole", null, Measured("whole"));
        for (int part = parts; part >= 1; part--)
        {
            string[] shuffled = [.. _inputs.OrderBy(file => (file + part).GetHashCode(StringComparison.Ordinal))];
            Degrade("parts", new Shard(part, parts), shuffled);
        }
        for (int part = 1; part <= parts; part++)
            Restore("parts", new Shard(part, parts), [.. Measured("parts").Reverse()]);
        Assert.Equal(3 * Pictures, Hashes("whole/y").Count);
        Assert.Equal(2 * Pictures, Hashes("whole/x").Count);
        Assert.Equal(Hashes("whole/y"), Hashes("parts/y"));
        Assert.Equal(Hashes("whole/x"), Hashes("parts/x"));
    }

    [Fact]
    public void A_job_that_was_stopped_goes_on_from_there()
    {
        Degrade("whole", null, _inputs);
        Restore("whole", null, Measured("whole"));
        using CancellationTokenSource stop = new();
        Assert.Throws<OperationCanceledException>(() => Degrade("again", null, _inputs, stop, after: 4));
        Assert.Equal(4, Hashes("again/y").Count / 3);
        Assert.Equal(Pictures - 4, Degrade("again", null, _inputs));
        using CancellationTokenSource stopAgain = new();
        Assert.Throws<OperationCanceledException>(() => Restore("again", null, Measured("again"), stopAgain, after: 3));
        // What was written without its record is not complete.
        File.Delete(Directory.GetFiles(Path.Combine(_folder, "again", "x"), "*.json")[0]);
        Assert.Equal(Pictures - 2, Restore("again", null, Measured("again")));
        Assert.Equal(Hashes("whole/x"), Hashes("again/x"));
    }

    [Fact]
    public void Other_settings_make_other_measurements_and_an_old_side_file_is_made_again()
    {
        Degrade("whole", null, _inputs);
        Assert.Equal(0, Degrade("whole", null, _inputs));
        Assert.Equal(Pictures, Degrade("whole", null, _inputs, seed: 1));
        string side = SideFile.PathFor(Measured("whole")[0]);
        JsonObject content = JsonNode.Parse(File.ReadAllText(side))!.AsObject();
        Assert.True(content.Remove("key"));
        File.WriteAllText(side, content.ToJsonString());
        int told = 0;
        Assert.Equal(1, Degrade("whole", null, _inputs, seed: 1, old: () => told++));
        Assert.Equal(1, told);
    }

    [Fact]
    public void A_changed_kernel_makes_another_measurement_and_another_restoration()
    {
        string kernel = Path.Combine(_folder, "kernel.txt"),
            spec = new Blur { Kernel = kernel }.ToString();
        int told = 0;
        void Old() => told++;
        int Measure() => Degrade("whole", null, _inputs, spec: spec, old: Old);
        FileJob Restorations() => Job("whole", null, Measured("whole"), old: Old);
        void Restored() => new RestoreJob(Restorations(), new Watcher(null)) { Overwrite = true }.Run(Open);

        File.WriteAllText(kernel, "1 2 1");
        Assert.Equal(Pictures, Measure());
        Restored();
        Assert.Equal(0, Measure());
        Assert.Empty(Restorations().Todo);
        // The kernel that lies beside a measurement is what it is restored with.
        string beside = Path.ChangeExtension(Measured("whole")[0], ".kernel.tif");
        byte[] bytes = File.ReadAllBytes(beside);
        using (ComputeScope scope = new())
            ImageFile.Write(beside, torch.full([1, 1, 1, 3], 1 / 3f), new WriteOptions { BitDepth = 32, Overwrite = true });
        Assert.Equal(Measured("whole")[0], Assert.Single(Restorations().Todo).Input);
        File.WriteAllBytes(beside, bytes);
        Assert.Empty(Restorations().Todo);
        File.WriteAllText(kernel, "1 1 1");
        Assert.Equal(Pictures, Measure());
        Assert.Equal(Pictures, Restorations().Todo.Count);
        Assert.Equal(0, told);
    }

    [Fact]
    public void Records_that_do_not_say_what_a_kernel_was_are_told_and_made_again()
    {
        string kernel = Path.Combine(_folder, "kernel.txt"),
            spec = new Blur { Kernel = kernel }.ToString();
        File.WriteAllText(kernel, "1 2 1");
        Degrade("whole", null, _inputs, spec: spec);
        string measurement = Measured("whole")[0];
        new RestoreJob(Job("whole", null, Measured("whole")), new Watcher(null)).Run(Open);

        // As older versions wrote them.
        using Degrader degrader = new(ShippedOperators.Catalog.Parse(spec), 0.05, 0);
        JsonObject settings = DegradeJob.Settings(_inputs[0], measurement, degrader, clip: false);
        Assert.True(settings.Remove("operator_files_sha256"));
        Rewrite(SideFile.PathFor(measurement), side => side["key"] = new JobItem(_inputs[0], measurement, () => settings).Key);
        int told = 0;
        Assert.Equal(1, Degrade("whole", null, _inputs, spec: spec, old: () => told++));
        Assert.Equal(1, told);

        Rewrite(JobRecord.PathFor(Job("whole", null, Measured("whole")).Items[3].Output), record =>
            Assert.True(record["settings"]!.AsObject().Remove("operator_files_sha256"))
        );
        FileJob job = Job("whole", null, Measured("whole"), old: () => told++);
        Assert.Contains(Measured("whole")[3], job.Todo.Select(item => item.Input));
        Assert.Equal(2, told);
    }

    private static void Rewrite(string file, Action<JsonObject> change)
    {
        JsonObject content = JsonNode.Parse(File.ReadAllText(file))!.AsObject();
        change(content);
        File.WriteAllText(file, content.ToJsonString());
    }

    [Fact]
    public void A_file_that_fails_is_put_down_and_the_others_go_on()
    {
        Degrade("whole", null, _inputs);
        File.WriteAllText(Measured("whole")[3], "no picture");
        FileJob files = Job("whole", null, Measured("whole"));
        new RestoreJob(files, new Watcher(null)).Run(Open);
        JobFailure failure = Assert.Single(files.Failures);
        Assert.Equal([Measured("whole")[3]], failure.Inputs);
        Assert.IsType<ImageException>(failure.Error);
        Assert.Equal(2 * (Pictures - 1), Hashes("whole/x").Count);
    }

    [Fact]
    public void What_another_part_is_writing_at_this_moment_is_no_input()
    {
        string[] found = ["in/a.png", "in/a_restored.png", "in/a_restored_sample1.png", "in/b.png", "in/c_restored.png"];
        Assert.Equal(
            ["in/a.png", "in/b.png", "in/c_restored.png"],
            OutputPlan.WithoutResults(found, ["in"], null, "{name}_restored.png", ".png")
        );
        Assert.Equal(found, OutputPlan.WithoutResults(found, found, null, "{name}_restored.png", ".png"));
    }

    private string[] Measured(string run) => [.. Directory.GetFiles(Path.Combine(_folder, run, "y"), "?.tif").Order()];

    private int Degrade(
        string run,
        Shard? shard,
        string[] inputs,
        CancellationTokenSource? stop = null,
        int after = 0,
        ulong seed = 0,
        Action? old = null,
        string spec = "mask:random=0.5,seed=1"
    )
    {
        using Degrader degrader = new(ShippedOperators.Catalog.Parse(spec), 0.05, seed);
        FileJob files = new(
            [
                .. inputs
                    .Select(input => (input, Path.Combine(_folder, run, "y", Path.GetFileNameWithoutExtension(input) + ".tif")))
                    .Select(pair => new JobItem(pair.input, pair.Item2, () =>
                        DegradeJob.Settings(pair.input, pair.Item2, degrader, clip: false)
                    )),
            ],
            shard,
            item => DegradeJob.IsComplete(item, old)
        )
        {
            Cancellation = stop?.Token ?? default,
        };
        int done = 0;
        new DegradeJob(files, degrader)
        {
            Overwrite = true,
            Done = _ =>
            {
                if (++done == after)
                    stop!.Cancel();
            },
        }.Run();
        return done;
    }

    private int Restore(string run, Shard? shard, string[] inputs, CancellationTokenSource? stop = null, int after = 0)
    {
        FileJob files = Job(run, shard, inputs, stop);
        Watcher watcher = new(done =>
        {
            if (done == after)
                stop!.Cancel();
        });
        new RestoreJob(files, watcher) { Overwrite = true }.Run(Open);
        return watcher.Done;
    }

    private static RestoreOptions Options { get; } =
        new()
        {
            Solver = "cm4ir",
            Steps = 2,
            Policy = ComputePolicy.Reference,
        };

    private static RestorationRunner Open() => new(new ZeroShotMethod(Options, new GaussianPrior(Shape)), Options);

    private FileJob Job(string run, Shard? shard, string[] inputs, CancellationTokenSource? stop = null, Action? old = null) =>
        new(
            [
                .. inputs.Select(input => new JobItem(
                    input,
                    Path.Combine(_folder, run, "x", Path.GetFileNameWithoutExtension(input) + ".png"),
                    () => ZeroShotMethod.Settings(input, Options, null)
                )),
            ],
            shard,
            item => JobRecord.IsComplete(item, old)
        )
        {
            Cancellation = stop?.Token ?? default,
        };

    // Records and side files hold how long it took and where masks lie: of these only that they are there.
    private Dictionary<string, string> Hashes(string folder) =>
        Directory
            .GetFiles(Path.Combine(_folder, folder))
            .Where(file => !file.EndsWith(".preview.png", StringComparison.Ordinal))
            .ToDictionary(
                file => Path.GetFileName(file),
                file =>
                    folder.EndsWith('x') && file.EndsWith(".json", StringComparison.Ordinal)
                        ? "record"
                        : Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file)))
            );

    private sealed class Watcher(Action<int>? told) : IRestoreWatcher
    {
        public int Done { get; private set; }

        public void Restored(JobItem item, Measurement measurement, RestoredPicture restored) => told?.Invoke(++Done);
    }
}
