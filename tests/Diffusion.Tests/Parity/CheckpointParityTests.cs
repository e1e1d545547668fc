using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using Diffusion.Checkpoints;
using Diffusion.Models;
using Diffusion.Runtime;

namespace Diffusion.Tests.Parity;

/// <summary>
/// Files that PyTorch wrote must read exactly; hostile ones must fail with one clear error, in time, without eating memory or touching the
/// disk.
/// </summary>
[NeedsFinalizers]
public sealed class CheckpointParityTests
{
    private static readonly Dictionary<string, string[]> Words = new()
    {
        ["LFS pointer, not the file"] = ["LFS pointer"],
        ["bytes after the last tensor"] = ["bytes follow after the last tensor"],
        ["duplicate tensor name"] = ["Duplicate tensor name"],
        ["empty file"] = ["empty"],
        ["entry size does not match the tensors; no file is ever written"] =
        [
            "are declared",
            "leads out of the archive",
            "claims",
            "declared size",
        ],
        ["global not allowed"] = ["not allowed"],
        ["global not allowed: named in the message"] = ["not allowed"],
        ["header is not JSON"] = ["not valid JSON", "not a JSON object", "not UTF-8"],
        ["header length beyond the file"] = ["beyond the end of the file"],
        ["hole between tensors"] = ["hole"],
        ["malformed pickle"] = ["Malformed pickle", "pickle does not end"],
        ["missing storage"] = ["Missing storage", "no tensor has"],
        ["negative size"] = ["Negative size", "negative"],
        ["nesting too deep"] = ["esting too deep"],
        ["not a checkpoint"] = ["not a checkpoint"],
        ["offset beyond the file"] = ["beyond the file"],
        ["overlapping tensors"] = ["Overlapping tensors"],
        ["shape and offsets disagree"] = ["disagree"],
        ["shape overflows"] = ["overflow"],
        ["storage shorter than declared"] = ["are declared", "shorter than declared"],
        ["string longer than the stream"] = ["longer than the stream"],
        ["truncated archive"] = ["truncated"],
        ["truncated storage"] = ["Truncated storage", "truncated"],
        ["unknown dtype"] = ["unknown dtype", "not supported"],
    };

    public static TheoryData<string> Cases => ParityCase.All("checkpoints");

    [Theory, MemberData(nameof(Cases))]
    public void Readable_files_read_exactly_and_hostile_ones_fail_clearly(string folder)
    {
        using ParityCase reference = ParityCase.Open(folder);
        string file = Path.Combine(folder, reference.Config.String("file"));
        if (reference.Config.Bool("readable"))
            ReadsExactly(reference, file);
        else
            FailsClearly(reference, file);
        reference.AssertAllOutputsTested();
        reference.Config.AssertAllKeysUsed();
    }

    private static void ReadsExactly(ParityCase reference, string path)
    {
        ConfigNode dtypes = reference.Config.Object("dtypes");
        using ICheckpoint file = Checkpoint.Open(path);
        using CheckpointView weights = new(file, reference.Config.String("key_prefix"));
        string[] surplus = [.. weights.Tensors.Keys.Except(reference.Outputs)];
        Assert.True(surplus.Length == 0, $"Surplus tensors: {string.Join(", ", surplus)}.");
        Assert.Equal(reference.Outputs.Order(), dtypes.Keys.Order());
        foreach (string name in reference.Outputs)
        {
            TensorEntry entry = weights.Tensors[name];
            string dtype = dtypes.OneOf(name, "bfloat16", "bool", "float16", "float32", "float64", "int32", "int64", "uint8");
            Assert.Equal(dtype, CheckpointInspector.DtypeName(entry.Dtype));
            using Tensor read = entry.Read();
            Assert.Equal(entry.Dtype, read.dtype);
            if (dtype != "bfloat16")
                Assert.Equal(reference.Expected(name).dtype, read.dtype);
            reference.AssertOutput(name, read);
        }
    }

    private static void FailsClearly(ParityCase reference, string path)
    {
        string because = reference.Config.OneOf("because", [.. Words.Keys]);
        ConfigNode limits = reference.Config.Object("limits");
        string folder = Path.GetDirectoryName(path)!;
        string[] before = Surroundings(folder);
        using MemoryWatch watch = new();
        Stopwatch time = Stopwatch.StartNew();
        CheckpointException error = Assert.Throws<CheckpointException>(() => ReadEverything(path));
        double seconds = time.Elapsed.TotalSeconds,
            mebibytes = watch.PeakGrowthMebibytes();
        Assert.True(seconds <= limits.Double("seconds"), $"It took {seconds:F2} s.");
        double allowed = limits.Double("extra_memory_mib") + (new FileInfo(path).Length / 1048576.0);
        Assert.True(mebibytes <= allowed, $"It took {mebibytes:F0} MiB; {allowed:F0} are allowed.");
        Assert.True(
            Words[because].Any(word => error.Message.Contains(word, StringComparison.Ordinal)),
            $"\"{error.Message}\" does not say: {because}."
        );
        Assert.DoesNotContain('\n', error.Message);
        if (because.EndsWith("named in the message", StringComparison.Ordinal))
            Assert.Contains(GlobalsIn(path), global =>
                error.Message.Contains(global.Module, StringComparison.Ordinal)
                && error.Message.Contains(global.Name, StringComparison.Ordinal)
            );
        Assert.Equal(before, Surroundings(folder));
    }

    private static void ReadEverything(string path)
    {
        using ICheckpoint file = Checkpoint.Open(path);
        foreach (TensorEntry entry in file.Tensors.Values)
            entry.Read().Dispose();
    }

    // Every GLOBAL and STACK_GLOBAL opcode of a zip file's pickle.
    private static (string Module, string Name)[] GlobalsIn(string path)
    {
        using ZipArchive archive = ZipFile.OpenRead(path);
        using StreamReader pickle = new(archive.Entries.Single(entry => entry.Name == "data.pkl").Open(), Encoding.Latin1);
        return
        [
            .. Regex
                .Matches(
                    pickle.ReadToEnd(),
                    @"c(?<module>[\w.]+)\n(?<name>[\w.]+)\n|\x8c.(?<module>[\w.]+)\x94?\x8c.(?<name>[\w.]+)\x94?\x93",
                    RegexOptions.Singleline
                )
                .Select(match => (match.Groups["module"].Value, match.Groups["name"].Value)),
        ];
    }

    // What a path that leads out of an archive could reach.
    private static string[] Surroundings(string folder) =>
        [
            .. new[] { folder, Path.Combine(folder, ".."), Path.Combine(folder, "..", ".."), Environment.CurrentDirectory }
                .Where(Directory.Exists)
                .SelectMany(Directory.GetFileSystemEntries)
                .Order(StringComparer.Ordinal),
        ];
}
