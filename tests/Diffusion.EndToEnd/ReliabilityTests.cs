using System.Diagnostics;
using System.Globalization;

namespace Diffusion.EndToEnd;

/// <summary>
/// What happens when the disk is full, when a batch is interrupted, and when there is much to do. Partly slow: run with <c>--explicit only
/// --filter-trait Category=slow</c>.
/// </summary>
public sealed class ReliabilityTests : IDisposable
{
    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [Fact(Explicit = true), Trait("Category", "slow")]
    public void A_full_disk_is_one_line_and_leaves_nothing_behind()
    {
        if (!OperatingSystem.IsLinux())
            return;
        TestPictures.Write(_workspace["photo.png"], 128, 128);
        Directory.CreateDirectory(_workspace["full"]);
        // A disk of 16 KB that only this shell and its children see.
        const string Script =
            "mount -t tmpfs -o size=16k none full 2>/dev/null || exit 99; \"$0\" degrade photo.png -A blur:sigma=2 --noise 0.05 -o "
            + "full/y.png; code=$?; ls -A full; exit $code";
        ProcessStartInfo start = new("unshare", ["-rm", "sh", "-c", Script, DiffusionCommand.Path])
        {
            WorkingDirectory = _workspace.Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process? shell = Begin(start);
        Outcome? outcome = shell is null ? null : DiffusionCommand.Finish(shell);
        if (outcome is null or { Code: 99 } || outcome.Error.Contains("unshare", StringComparison.Ordinal))
            Assert.Skip("Mounting a small disk is not allowed here.");
        outcome.ExpectError(3, "disk is full", "full/y.png");
    }

    [Fact(Explicit = true), Trait("Category", "slow")]
    public void A_folder_that_is_a_file_is_one_line()
    {
        TestPictures.Write(_workspace["photo.png"], 64, 64);
        File.WriteAllText(_workspace["folder"], "a file");
        Run("degrade", "photo.png", "-A", "blur:sigma=2", "--noise", "0.05", "-o", "folder/y.png")
            .ExpectError(2, "folder is a file", "folder/y.png");
    }

    [Fact]
    public void An_interrupted_batch_keeps_what_is_finished_and_goes_on_from_there()
    {
        if (!OperatingSystem.IsLinux())
            return;
        Many("in", 40, 64);
        using Process process = DiffusionCommand.Start(
            _workspace.Folder,
            "restore",
            "in",
            "-A",
            "blur:sigma=2",
            "--noise",
            "0.02",
            "-s",
            "dpir",
            "-n",
            "20",
            "--batch",
            "1",
            "-o",
            "out",
            "--json"
        );
        WaitFor(process, 2);
        const int Terminate = 15;
        Signals.Send(process, Terminate);
        DiffusionCommand.Finish(process).Expect(143);
        string[] finished = Directory.GetFiles(_workspace["out"], "*.png");
        Assert.InRange(finished.Length, 2, 39);
        Assert.DoesNotContain(_workspace.Files, file => file.Contains("tmp", StringComparison.OrdinalIgnoreCase));
        Dictionary<string, DateTime> written = finished.ToDictionary(file => file, File.GetLastWriteTimeUtc);

        Outcome second = Run(
                "restore",
                "in",
                "-A",
                "blur:sigma=2",
                "--noise",
                "0.02",
                "-s",
                "dpir",
                "-n",
                "20",
                "--batch",
                "1",
                "-o",
                "out",
                "--json",
                "--resume"
            )
            .Expect(0);

        Assert.Contains($"{finished.Length} of 40 outputs are complete already", second.Error);
        Assert.Equal(40, Directory.GetFiles(_workspace["out"], "*.png").Length);
        Assert.All(written, file => Assert.Equal(file.Value, File.GetLastWriteTimeUtc(file.Key)));
    }

    [Fact]
    public void Parts_of_a_job_of_which_one_is_killed_write_what_one_process_writes()
    {
        if (!OperatingSystem.IsLinux())
            return;
        Many("in", 12, 48);
        string[] files = [.. Directory.GetFiles(_workspace["in"]).Order()];
        string[] options = ["-A", "blur:sigma=2", "--noise", "0.02", "-s", "dpir", "-n", "20", "-q"];
        string[] Restore(string folder, IEnumerable<string> inputs, params string[] more) =>
            ["restore", .. inputs, .. options, "-o", folder, .. more];
        Run(Restore("whole", ["in"])).Expect(0);
        Run(Restore("out", files.Reverse(), "--shard", "2/2")).Expect(0);
        int second = Directory.GetFiles(_workspace["out"], "*.json").Length;
        using Process process = DiffusionCommand.Start(_workspace.Folder, Restore("out", ["in"], "--shard", "1/2"));
        WaitFor(process, second + 1);
        process.Kill();
        process.WaitForExit();
        // Slurm's array 4-5 begins with the first part.
        Outcome rest = DiffusionCommand.Run(
            _workspace.Folder,
            [("SLURM_ARRAY_TASK_ID", "4"), ("SLURM_ARRAY_TASK_MIN", "4"), ("SLURM_ARRAY_TASK_COUNT", "2")],
            Restore("out", ["in"], "--shard", "auto", "--resume")
        );
        rest.Expect(0);
        Assert.InRange(second, 1, 11);
        string[] names = [.. files.Select(file => Path.GetFileName(file))];
        foreach (string name in names)
        {
            Assert.Equal(File.ReadAllBytes(_workspace[$"whole/{name}"]), File.ReadAllBytes(_workspace[$"out/{name}"]));
            Assert.True(File.Exists(_workspace[$"out/{name}.json"]));
        }
        Assert.Equal(names, Directory.GetFiles(_workspace["out"], "*.png").Select(file => Path.GetFileName(file)).Order());
    }

    [Fact(Explicit = true), Trait("Category", "slow")]
    public async Task Memory_does_not_grow_over_five_hundred_restorations()
    {
        if (!OperatingSystem.IsLinux())
            return;
        Many("in", 500, 48);
        using Process process = DiffusionCommand.Start(
            _workspace.Folder,
            "restore",
            "in",
            "-A",
            "blur:sigma=2",
            "--noise",
            "0.02",
            "-s",
            "cm4ir",
            "-n",
            "2",
            "--batch",
            "1",
            "-o",
            "out",
            "-q"
        );
        // Read from the start: a full pipe would stop the command.
        Task<Outcome> end = Task.Run(() => DiffusionCommand.Finish(process));
        WaitFor(process, 150);
        long early = Resident(process);
        WaitFor(process, 480);
        long late = Resident(process);
        (await end).Expect(0);
        Assert.Equal(500, Directory.GetFiles(_workspace["out"], "*.png").Length);
        Assert.True(
            late < early + (24L << 20),
            string.Create(
                CultureInfo.InvariantCulture,
                $"Memory grew from {early / 1e6:F0} MB after 150 restorations to {late / 1e6:F0} MB after 480."
            )
        );
    }

    private Outcome Run(params string[] args) => DiffusionCommand.Run(_workspace.Folder, args);

    private void Many(string folder, int count, int size)
    {
        Directory.CreateDirectory(_workspace[folder]);
        string first = TestPictures.Write(Path.Combine(_workspace[folder], "000.png"), size, size);
        for (int i = 1; i < count; i++)
            File.Copy(first, Path.Combine(_workspace[folder], string.Create(CultureInfo.InvariantCulture, $"{i:D3}.png")));
    }

    private void WaitFor(Process process, int outputs)
    {
        while (
            !process.HasExited && (!Directory.Exists(_workspace["out"]) || Directory.GetFiles(_workspace["out"], "*.png").Length < outputs)
        )
            Thread.Sleep(20);
        Assert.False(process.HasExited, $"The command ended before it had written {outputs} pictures.");
    }

    private static long Resident(Process process)
    {
        process.Refresh();
        return process.WorkingSet64;
    }

    private static Process? Begin(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null; // no unshare
        }
    }
}
