using Diffusion.Imaging;

namespace Diffusion.EndToEnd;

/// <summary>
/// From clean photographs to pairs, from pairs to a generator and a restorer, and what these make, through the built command.
/// </summary>
public sealed class PairTrainingTests : IDisposable
{
    private static readonly string[] Short = ["--steps", "2", "--batch", "1", "--hold-out", "1", "--threads", "1"];
    private readonly Workspace _work = new();

    public void Dispose() => _work.Dispose();

    [Fact]
    public void A_generator_is_trained_on_a_set_makes_another_and_is_compared()
    {
        Set("haze");
        Run(["train", "gendeg", "set", "-o", "run", "--name", "tiny", .. Short]);
        string card = File.ReadAllText(_work["run/model/card.json"]);
        Assert.Contains("train gendeg set", card);
        Assert.Single(File.ReadLines(_work["run/model/photographs.txt"]));
        string[] again =
        [
            "synthesize",
            "photos/0.png",
            "--degradation",
            "haze,snow",
            "--generator",
            "run/model",
            "--seed",
            "4",
            "--dtype",
            "fp32",
        ];
        string[] set = ["--generator-set", "steps=2"];
        Run([.. again, .. set, "-o", "one", "--threads", "1"]);
        Run([.. again, .. set, "-o", "two", "--threads", "2"]);
        string[] made = [.. Directory.EnumerateFiles(_work["one/degraded"], "*.png", SearchOption.AllDirectories)];
        Assert.Equal(2, made.Length);
        foreach (string file in made)
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(file.Replace("/one/", "/two/", StringComparison.Ordinal)));
        Assert.Contains("\"generator\":\"tiny-", File.ReadAllText(_work["one/manifest.jsonl"]));
        Run(["synthesize", "verify", "one"]);
        Outcome table = Run([
            "train",
            "validate-gendeg",
            "photos/1.png",
            "-o",
            "table",
            "-d",
            "haze",
            "--generator",
            "rendered",
            "--generator",
            "run/model:steps=2",
        ]);
        Assert.Contains("| haze | rendered | 1 |", table.Output);
        Assert.Contains("| haze | run/model:steps=2 | 1 |", table.Output);
        Assert.Equal(["generators.csv", "generators.md", "haze.png"], Names("table"));
    }

    [Fact]
    public void A_restorer_is_trained_on_real_and_made_pairs_restores_and_is_compared()
    {
        Set("rain");
        Directory.CreateDirectory(_work["real/rain"]);
        for (int i = 0; i < 4; i++)
        {
            TestPictures.Write(_work[$"real/rain/{i}-clean.png"], 136, 144);
            TestPictures.Write(_work[$"real/rain/{i}-degraded.png"], 136, 144);
        }
        Run(["train", "restorer", "set", "real", "-o", "run", .. Short]);
        Run(["restore", "photos/0.png", "--model", "run/model", "-o", "restored.png"]);
        using Picture restored = ImageFile.Read(_work["restored.png"]);
        Assert.Equal([1, 3, 136, 144], restored.Pixels.shape);
        Outcome table = Run([
            "train",
            "validate-restorer",
            "real",
            "-o",
            "table",
            "--model",
            "both=run/model",
            "--model",
            "both=run/model",
        ]);
        Assert.Contains("| rain | 1 | degraded | 1 |", table.Output);
        Assert.Contains("| rain | 1 | both | 2 |", table.Output);
        Assert.Equal(["restorers.csv", "restorers.md"], Names("table"));
    }

    [Fact]
    public void What_cannot_be_trained_on_is_one_line()
    {
        Directory.CreateDirectory(_work["empty"]);
        void Refused(string[] arguments, int code, params string[] words) =>
            DiffusionCommand.Run(_work.Folder, arguments).ExpectError(code, words);
        Refused(["train", "gendeg", "empty", "-o", "run", "--steps", "1"], 2, "empty", "low-light");
        Refused(["train", "restorer", "nowhere", "-o", "run", "--steps", "1"], 2, "nowhere", "no such folder");
        Refused(["train", "gendeg", "empty", "--steps", "1"], 2, "-o");
        Refused(["train", "gendeg", "empty", "-o", "run"], 2, "--hours", "--steps");
        Refused(["train", "validate-gendeg", "empty", "-o", "table", "--generator", "rendred"], 2, "rendred", "rendered");
        Refused(["synthesize", "empty", "-o", "set", "-d", "rain", "--generator", "small"], 2, "train gendeg", "--generator rendered");
        Set("snow", "--format", "webdataset");
        Refused(["train", "gendeg", "set", "-o", "run", "--steps", "1"], 2, "manifest.jsonl", "--format folders");
        Assert.False(Directory.Exists(_work["run"]));
    }

    private void Set(string kind, params string[] more)
    {
        for (int i = 0; i < 2; i++)
        {
            Directory.CreateDirectory(_work["photos"]);
            TestPictures.Write(_work[$"photos/{i}.png"], 136, 144 + 8 * i);
        }
        Run(["synthesize", "photos", "-o", "set", "-d", kind, "--intensity", "level=0.5", .. more]);
    }

    private string[] Names(string folder) => [.. Directory.EnumerateFiles(_work[folder]).Select(file => Path.GetFileName(file)).Order()];

    private Outcome Run(string[] arguments) => DiffusionCommand.Run(_work.Folder, arguments).Expect(0);
}
