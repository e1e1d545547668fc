using System.Reflection;
using System.Text.Json.Nodes;
using Diffusion.Imaging;

namespace Diffusion.EndToEnd;

/// <summary>A restoration method that has neither operator nor prior, by its name through the built command.</summary>
public sealed class ModelTests : IDisposable
{
    private static readonly string Plugin = typeof(ModelTests)
        .Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(data => data.Key == "SamplePlugin")
        .Value!;

    private readonly Workspace _work = new();

    public void Dispose() => _work.Dispose();

    [Fact]
    public void It_restores_a_folder_in_parts_and_does_nothing_twice()
    {
        Directory.CreateDirectory(_work["in"]);
        for (int i = 0; i < 6; i++)
            TestPictures.Write(_work[$"in/{i}.png"], 40 + i % 2, 56);
        JsonNode[] told =
        [
            .. Lines(Restore("amount=2", "--shard", "2/2", "--batch", "3")),
            .. Lines(Restore("amount=2", "--shard", "1/2", "--batch", "3")),
        ];
        Assert.Equal(Directory.GetFiles(_work["in"]).Order(), told.Select(line => _work[(string)line["input"]!]).Order());
        foreach (JsonNode line in told)
        {
            Assert.Equal(("unsharp-mask", null, null), ((string)line["solver"]!, (string?)line["operator"], (double?)line["noise"]));
            using Picture clean = ImageFile.Read(_work[(string)line["input"]!]),
                sharp = ImageFile.Read(_work[(string)line["output"]!]);
            using DisposeScope scope = torch.NewDisposeScope();
            Tensor blurred = torch.nn.functional.avg_pool2d(clean.Pixels, 5L, 1L, 2, count_include_pad: false),
                expected = (clean.Pixels + 2 * (clean.Pixels - blurred)).clamp(0, 1);
            Assert.True((sharp.Pixels - expected).abs().max().item<float>() < 0.6 / 255);
            JsonNode record = JsonNode.Parse(File.ReadAllText(_work[(string)line["output"]! + ".json"]))!;
            Assert.Equal(
                ("unsharp-mask", "2"),
                ((string)record["settings"]!["model"]!, (string)record["settings"]!["model_set"]!["amount"]!)
            );
        }
        Assert.Contains("6 of 6 outputs are complete already", Restore("AMOUNT=2", "--resume").Error);
        JsonNode[] plan = Lines(Restore("amount=1", "--resume", "--dry-run"));
        Assert.Equal(6, plan.Count(line => !(bool)line["complete"]! && (int)line["evaluations"]! == 1));
    }

    [Fact]
    public void What_does_not_go_with_it_is_said()
    {
        TestPictures.Write(_work["photo.png"], 32, 32);
        string[] model = ["--plugin", Plugin, "--model"];
        Run("photo.png", [.. model, "unsharp-maks"]).ExpectError(2, "unsharp-maks", "Did you mean \"unsharp-mask\"?");
        Run("photo.png", [.. model, "unsharp-mask", "--noise", "0.1"]).ExpectError(2, "--noise", "--model unsharp-mask", "--model-set");
        Run("photo.png", [.. model, "unsharp-mask", "--model-set", "amuont=1"]).ExpectError(2, "amuont", "amount");
        Run("photo.png", ["-A", "identity", "--noise", "0.1", "--model-set", "amount=1"]).ExpectError(2, "--model-set", "--model");
        Assert.Equal(["photo.png"], _work.Files);
    }

    private Outcome Restore(string set, params string[] more) =>
        Run("in", ["--plugin", Plugin, "--model", "unsharp-mask", "--model-set", set, "-o", "out", "--json", .. more]).Expect(0);

    private Outcome Run(string input, string[] more) => DiffusionCommand.Run(_work.Folder, ["restore", input, .. more]);

    private static JsonNode[] Lines(Outcome outcome) =>
        [.. outcome.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
}
