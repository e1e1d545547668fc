using System.Reflection;
using Diffusion.Imaging;

namespace Diffusion.EndToEnd;

/// <summary>
/// Array jobs of a real Slurm: eight tasks, two of them killed and requeued, write what one process writes. Slow: run with <c>--explicit
/// only --filter-trait Category=cluster</c>.
/// </summary>
[Trait("Category", "cluster")]
public sealed class ClusterTests : IDisposable
{
    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [Fact(Explicit = true)]
    public void Synthesize() =>
        Compare("photos/", 48, ["synthesize", "photos/", "-d", "haze,snow", "--per-image", "2", "--intensity", "level=0.2..0.8"], folder =>
            Directory.Exists(Path.Combine(folder, ".samples")) ? Directory.GetFiles(Path.Combine(folder, ".samples"), "*.json").Length : 0
        );

    [Fact(Explicit = true)]
    public void Synthesize_into_shards() =>
        Compare(
            "photos/",
            48,
            ["synthesize", "photos/", "-d", "rain", "--per-image", "2", "--format", "webdataset", "--per-shard", "6"],
            folder => Directory.Exists(folder) ? Directory.GetFiles(folder, "*.tar").Length : 0
        );

    [Fact(Explicit = true)]
    public void Restore() =>
        Compare(
            "photos/",
            16,
            ["restore", "photos/", "-A", "blur:sigma=2", "--noise", "0.02", "-s", "dpir", "-n", "10", "--dtype", "fp32", "--batch", "1"],
            Pictures,
            file => !file.EndsWith(".json", StringComparison.Ordinal)
        );

    [Fact(Explicit = true)]
    public void Face() =>
        Compare("photos/", 8, ["face", "photos/", "--model", "zero-shot", "--aligned", "--dtype", "fp32"], Pictures, file =>
            !file.EndsWith(".json", StringComparison.Ordinal)
        );

    private static int Pictures(string folder) => Directory.Exists(folder) ? Directory.GetFiles(folder, "*.png").Length : 0;

    /// <param name="photos">The folder of pictures.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="command">The command line without -o.</param>
    /// <param name="made">How much a folder has of what is made.</param>
    /// <param name="compared">Files that must be equal; null: all. Records hold seconds.</param>
    private void Compare(string photos, int count, string[] command, Func<string, int> made, Func<string, bool>? compared = null)
    {
        using SlurmCluster cluster = SlurmCluster.Start();
        bool faces = command[0] == "face";
        Directory.CreateDirectory(_workspace[photos]);
        using (Picture photo = ImageFile.Read(Path.Combine(DiffusionCommand.DemoPhotos, faces ? "astronaut.png" : "cat.png")))
            for (int i = 0; i < count; i++)
            {
                using Tensor piece = faces
                    ? photo.Pixels.narrow(2, 4 + i, 128).narrow(3, 64 + i, 128).contiguous()
                    : photo.Pixels.narrow(2, 20 + 3 * i, 96).narrow(3, 40 + 4 * i, 128).contiguous();
                ImageFile.Write(_workspace[$"{photos}/{i:D2}.png"], piece);
            }
        DiffusionCommand.Run(_workspace.Folder, [.. command, "-o", "whole", "-q", "--threads", "1"]).Expect(0);

        string script = Path.Combine(Metadata("RepositoryRoot"), "deploy", "slurm-array.sh");
        string job = cluster.Submit(_workspace.Folder, script, [.. command, "-o", "out"]);
        List<string> killed = [];
        while (killed.Count < 2)
        {
            cluster.WaitUntil("a task runs and something was made", () =>
                Running(cluster, job, killed).Length > 0 && made(_workspace["out"]) > killed.Count
            );
            string[] running = Running(cluster, job, killed);
            if (running.Length == 0)
                continue;
            cluster.Requeue(job, running[0]);
            killed.Add(running[0]);
        }
        cluster.WaitForEnd(job);

        SortedDictionary<string, string> whole = FolderContents.Of(_workspace["whole"], compared),
            parts = FolderContents.Of(_workspace["out"], compared);
        Assert.True(whole.SequenceEqual(parts), $"{whole.Count} files of one process, {parts.Count} of eight tasks. {cluster.Logs}");
        if (command[0] == "synthesize")
            DiffusionCommand.Run(_workspace.Folder, "synthesize", "verify", "out").Expect(0);
    }

    private static string[] Running(SlurmCluster cluster, string job, List<string> killed) =>
        [.. cluster.Tasks(job, "running").Except(killed)];

    private static string Metadata(string key) =>
        typeof(ClusterTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == key).Value!;
}
