using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Diffusion.Imaging;

namespace Diffusion.EndToEnd;

/// <summary>Data sets through the command.</summary>
public sealed class SynthesizeTests : IDisposable
{
    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public void A_set_is_made_verified_and_listed()
    {
        Photos(2);
        File.Copy(_workspace["photos/0.png"], _workspace["photos/copy.png"]);
        Outcome made = Run(
            "synthesize",
            "photos",
            "-o",
            "set",
            "-d",
            "haze,raindrop",
            "--per-image",
            "2",
            "--intensity",
            "level=0.5",
            "--json"
        );
        made.Expect(0);
        Assert.Contains("copy.png holds the same as", made.Error);
        Assert.Contains("8 of 8 samples, ", made.Error);
        Assert.Contains(" a second", made.Error);
        JsonNode[] lines = [.. made.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
        Assert.Equal(8, lines.Length);
        foreach (JsonNode line in lines)
        {
            Assert.Equal(1, (int)line["schema"]!);
            Assert.True(File.Exists(_workspace[$"set/{line["degraded"]}"]));
            Assert.True(File.Exists(_workspace[$"set/{line["clean"]}"]));
        }
        Assert.Equal(lines.Select(line => (string)line["id"]!).Order(StringComparer.Ordinal), Ids("set"));
        Assert.Contains("whole, 8 samples", Run("synthesize", "verify", "set").Expect(0).Output);

        File.Delete(_workspace[$"set/{lines[3]["degraded"]}"]);
        Outcome broken = Run("synthesize", "verify", "set").Expect(1);
        Assert.Contains("is missing", broken.Output);
        Assert.Contains("--resume", broken.Error);
        Outcome again = Run(
            "synthesize",
            "photos",
            "-o",
            "set",
            "-d",
            "haze,raindrop",
            "--per-image",
            "2",
            "--intensity",
            "level=0.5",
            "--resume"
        );
        Assert.Contains("7 of 8 outputs are complete already", again.Expect(0).Error);
        Run("synthesize", "verify", "set").Expect(0);
    }

    [Fact]
    public void A_table_of_own_pairs_is_measured_and_drawn_from()
    {
        Photos(2);
        Run("synthesize", "photos", "-o", "pairs", "-d", "rain", "--intensity", "mu=0.06,sigma=0.07", "-q").Expect(0);
        Directory.Move(_workspace["pairs/degraded/rain"], _workspace["pairs/rain"]);
        Directory.Delete(_workspace["pairs/degraded"]);
        Directory.Move(_workspace["pairs/rain"], _workspace["pairs/degraded"]);
        foreach (string file in Directory.GetFiles(_workspace["pairs/degraded"]))
            File.Move(file, file.Replace("_rain_00", "", StringComparison.Ordinal));
        Outcome stats = Run("synthesize", "stats", "pairs", "--degradation", "rain", "-o", "mine.json");
        Assert.Contains("rain pairs: 2 pairs, mean mu 0.0", stats.Expect(0).Output);
        Outcome made = Run("synthesize", "photos/0.png", "-o", "set", "-d", "rain", "--intensity", "stats:mine.json", "--json");
        double asked = (double)JsonNode.Parse(made.Expect(0).Output)!["mu_asked"]!;
        Assert.InRange(asked, 0.045, 0.08);
        Run("synthesize", "photos", "-o", "other", "-d", "snow", "--intensity", "stats:mine.json").ExpectError(2, "no pairs of snow");
        Run("synthesize", "stats", "pairs", "--degradation", "rain", "-o", "mine.json").ExpectError(2, "exists already", "--force");
    }

    [Fact]
    public void A_depth_map_is_followed_and_recorded()
    {
        Photos(1);
        Directory.CreateDirectory(_workspace["depth"]);
        using (Tensor map = torch.linspace(0, 1, 64).reshape(1, 1, 1, 64).expand(1, 1, 48, 64).contiguous())
            ImageFile.Write(_workspace["depth/0.png"], map);
        Outcome made = Run(
            "synthesize",
            "photos",
            "-o",
            "set",
            "-d",
            "haze",
            "--depth",
            "depth",
            "--intensity",
            "mu=0.12,sigma=0.1",
            "--json"
        );
        Assert.Equal(64, ((string)JsonNode.Parse(made.Expect(0).Output)!["depth_sha256"]!).Length);
        using (Tensor small = torch.zeros(1, 1, 8, 8))
            ImageFile.Write(_workspace["depth/0.png"], small);
        Run("synthesize", "photos", "-o", "other", "-d", "haze", "--depth", "depth", "-q").ExpectError(1, "depth map is 8x8");
    }

    /// <summary>One line each, and nothing lost.</summary>
    [Fact]
    public void What_cannot_be_made_is_one_line()
    {
        Photos(1);
        string[] Set(params string[] more) => ["synthesize", "photos", "-o", "set", .. more];
        Run(Set("-d", "hail")).ExpectError(2, "no degradation \"hail\"", "haze");
        Run(Set("-d", "rainn")).ExpectError(2, "Did you mean \"rain\"?");
        Run(Set()).ExpectError(2, "--degradation is missing");
        Run("synthesize", "photos", "-d", "haze").ExpectError(2, "-o is missing");
        Run("synthesize", "-o", "set", "-d", "haze").ExpectError(2, "CLEAN... is missing");
        Run(Set("-d", "haze", "--intensity", "strong")).ExpectError(2, "\"strong\" is no intensity");
        Run(Set("-d", "haze", "--intensity", "stats:none.json")).ExpectError(2, "no such table", "none.json");
        Run(Set("-d", "haze", "--generator", "magic")).ExpectError(2, "no generator \"magic\"");
        Run(Set("-d", "haze", "--per-shard", "5")).ExpectError(2, "--per-shard belongs to --format webdataset");
        Run(Set("-d", "haze", "--per-image", "0")).ExpectError(2, "--per-image");
        Run(Set("-d", "haze", "--shard", "9/8")).ExpectError(2, "9/8");
        Run("synthesize", "nowhere", "-o", "set", "-d", "haze").ExpectError(1, "no such file", "nowhere");
        Run("synthesize", "verify", "photos").ExpectError(1, "no set in this folder");
        Run("synthesize", "stats", "photos", "-d", "haze", "-o", "t.json").ExpectError(1, "no pairs");
        Run("synthesize", "photos", "-o", "photos", "-d", "haze").ExpectError(2, "not empty and holds no set");
        Assert.Equal(["photos/0.png"], _workspace.Files);

        Run(Set("-d", "haze", "-q")).Expect(0);
        string[] files = _workspace.Files;
        Run(Set("-d", "haze")).ExpectError(2, "holds this set already", "--resume");
        Run(Set("-d", "haze", "--seed", "3", "--resume")).ExpectError(2, "another set", "seed is 0, not 3");
        Run(Set("-d", "haze,snow", "--resume")).ExpectError(2, "another set", "degradations");
        string set = File.ReadAllText(_workspace["set/set.json"]);
        File.WriteAllText(_workspace["set/set.json"], set.Replace("\"schema\": 1", "\"schema\": 7", StringComparison.Ordinal));
        Run(Set("-d", "haze", "--resume")).ExpectError(1, "version 7", "Update diffusion");
        Run("synthesize", "verify", "set").ExpectError(1, "version 7");
        File.WriteAllText(_workspace["set/set.json"], set);
        Assert.Equal(files, _workspace.Files);
        Run("synthesize", "verify", "set").Expect(0);
    }

    [Fact]
    public void A_picture_smaller_than_any_particle_and_an_intensity_out_of_reach_still_make_a_set_that_says_so()
    {
        Directory.CreateDirectory(_workspace["photos"]);
        TestPictures.Write(_workspace["photos/tiny.png"], 6, 9);
        Outcome made = Run("synthesize", "photos", "-o", "set", "-d", "all", "--intensity", "mu=0.7,sigma=0.02", "--json");
        made.Expect(0);
        Assert.Contains("6 of 6 samples could not be as strong as asked", made.Error);
        foreach (string line in made.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            Assert.Contains("out of reach", (string)JsonNode.Parse(line)!["note"]!);
        Run("synthesize", "verify", "set").Expect(0);
    }

    /// <summary>So many kills as <c>DIFFUSION_KILLS</c> says, 10 without it.</summary>
    [Fact(Explicit = true), Trait("Category", "slow")]
    public void A_run_that_is_killed_at_random_moments_ends_with_the_set_of_one_that_was_not()
    {
        if (!OperatingSystem.IsLinux())
            return;
        int kills = int.TryParse(Environment.GetEnvironmentVariable("DIFFUSION_KILLS"), CultureInfo.InvariantCulture, out int asked)
            ? asked
            : 10;
        int pictures = Math.Max(6, kills * 2);
        Photos(pictures);
        foreach (string format in (string[])["folders", "hf", "webdataset"])
        {
            string[] options =
            [
                "-d",
                "rain,low-light",
                "--per-image",
                "2",
                "--intensity",
                "level=0.3..0.7",
                "--format",
                format,
                .. format == "webdataset" ? (string[])["--per-shard", "5"] : [],
            ];
            string whole = $"whole-{format}",
                set = $"set-{format}";
            Stopwatch watch = Stopwatch.StartNew();
            Run(["synthesize", "photos", "-o", whole, "-q", .. options]).Expect(0);
            double full = watch.Elapsed.TotalMilliseconds;
            Random random = new(5);
            int killed = 0;
            for (int i = 0; i < (kills + 2) / 3; i++)
            {
                using Process process = DiffusionCommand.Start(
                    _workspace.Folder,
                    ["synthesize", "photos", "-o", set, "-q", "--resume", .. options]
                );
                // From before the first sample to somewhere in its part of the whole, now and then at the very end.
                Thread.Sleep(300 + random.Next((int)Math.Max(200, 3 * full / kills)));
                if (!process.HasExited)
                    killed++;
                process.Kill();
                process.WaitForExit();
            }
            Assert.True(killed > 0, "Every run ended before it was killed.");
            Run(["synthesize", "photos", "-o", set, "-q", "--resume", .. options]).Expect(0);
            Assert.Contains($"whole, {pictures * 4} samples", Run("synthesize", "verify", set).Expect(0).Output);
            Assert.Equal(Contents(whole), Contents(set));
        }
    }

    [Fact(Explicit = true), Trait("Category", "slow")]
    public void A_full_disk_is_one_line_and_what_was_made_stays()
    {
        if (!OperatingSystem.IsLinux())
            return;
        Photos(12);
        Directory.CreateDirectory(_workspace["disk"]);
        const string Script =
            "mount -t tmpfs -o size=160k none disk 2>/dev/null || exit 99; \"$0\" synthesize photos -o disk/set -d haze -q; code=$?; "
            + "ls disk/set/.samples | wc -l; mount -o remount,size=8m disk; "
            + "\"$0\" synthesize photos -o disk/set -d haze -q --resume || exit 98; "
            + "\"$0\" synthesize verify disk/set || exit 97; exit $code";
        ProcessStartInfo start = new("unshare", ["-rm", "sh", "-c", Script, DiffusionCommand.Path])
        {
            WorkingDirectory = _workspace.Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Outcome outcome;
        try
        {
            using Process process = Process.Start(start)!;
            outcome = DiffusionCommand.Finish(process);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("There is no unshare here.");
            return;
        }
        if (outcome.Code == 99 || outcome.Error.Contains("unshare", StringComparison.Ordinal))
            Assert.Skip("Mounting a small disk is not allowed here.");
        outcome.Expect(3);
        string line = Assert.Single(outcome.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("disk is full", line);
        string[] said = outcome.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.InRange(int.Parse(said[0], CultureInfo.InvariantCulture), 1, 11);
        Assert.Contains("whole, 12 samples", said[^1]);
    }

    private Outcome Run(params string[] args) => DiffusionCommand.Run(_workspace.Folder, args);

    private void Photos(int count)
    {
        Directory.CreateDirectory(_workspace["photos"]);
        using Picture photo = ImageFile.Read(Path.Combine(DiffusionCommand.DemoPhotos, "cat.png"));
        for (int i = 0; i < count; i++)
        {
            using Tensor piece = photo.Pixels.narrow(2, 60 + i % 160, 48).narrow(3, 60 + 7 * i % 240, 64).contiguous();
            ImageFile.Write(_workspace[$"photos/{i}.png"], piece);
        }
    }

    private string[] Ids(string set) =>
        [.. File.ReadAllLines(_workspace[$"{set}/manifest.jsonl"]).Select(line => (string)JsonNode.Parse(line)!["id"]!)];

    private SortedDictionary<string, string> Contents(string folder) => FolderContents.Of(_workspace[folder]);
}

/// <summary>What a folder holds, to compare with another.</summary>
internal static class FolderContents
{
    /// <summary>SHA-256 by relative path, hidden files included.</summary>
    public static SortedDictionary<string, string> Of(string folder, Func<string, bool>? counts = null) =>
        new(
            Directory
                .EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
                .Where(counts ?? (static _ => true))
                .ToDictionary(
                    file => Path.GetRelativePath(folder, file),
                    file => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file)))
                ),
            StringComparer.Ordinal
        );
}
