using System.Reflection;
using System.Text.Json.Nodes;
using Diffusion.Checkpoints;
using Diffusion.Imaging;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Tests.Synthesis;

namespace Diffusion.EndToEnd;

/// <summary>GenDeg's and NAFNet's files as they are published, in tiny widths with random weights, through the built command.</summary>
public sealed class GenDegTests : IDisposable
{
    private readonly Workspace _work = new();

    private static string Parity =>
        Path.Combine(
            typeof(GenDegTests)
                .Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
                .Single(data => data.Key == "RepositoryRoot")
                .Value!,
            "tests",
            "parity"
        );

    public GenDegTests() => TestPictures.Write(_work["photo.png"], 40, 56);

    public void Dispose() => _work.Dispose();

    [Fact]
    public void A_folder_of_published_files_is_a_generator_without_a_conversion()
    {
        TinyGenDegBundle.Write(Parity, _work["bundle"]);
        string[] made = ["synthesize", "photo.png", "-d", "haze,rain", "--generator", "bundle", "--dtype", "fp32"];
        Run([.. made, "-o", "one", "--generator-set", "steps=2"]).Expect(0);
        Run([.. made, "-o", "two", "--generator-set", "steps=2"]).Expect(0);
        Run([.. made, "-o", "paper", "--generator-set", "steps=2", "--generator-set", "side=64", "--preset", "paper"]).Expect(0);
        JsonNode[] Lines(string set) => [.. File.ReadLines(_work[$"{set}/manifest.jsonl"]).Select(line => JsonNode.Parse(line)!)];
        foreach (JsonNode line in Lines("one"))
        {
            string file = (string)line["degraded"]!;
            Assert.Equal("gendeg:steps=2", (string)line["generator"]!);
            Assert.Equal(File.ReadAllBytes(_work[$"one/{file}"]), File.ReadAllBytes(_work[$"two/{file}"]));
            using Picture picture = ImageFile.Read(_work[$"one/{file}"]);
            Assert.Equal([1, 3, 40, 56], picture.Pixels.shape);
        }
        Assert.All(Lines("paper"), line => Assert.Equal((64, 64), ((int)line["height"]!, (int)line["width"]!)));
        Run(["synthesize", "verify", "one"]).Expect(0);
    }

    [Fact]
    public void What_is_missing_or_wrong_is_one_line()
    {
        Directory.CreateDirectory(_work["bundle"]);
        string[] made = ["synthesize", "photo.png", "-d", "haze", "-o", "set", "--generator"];
        Run([.. made, "bundle"]).ExpectError(2, "bundle lacks gendeg.ckpt");
        TinyGenDegBundle.Write(Parity, _work["bundle"]);
        Run([.. made, "bundle", "--generator-set", "stpes=2"]).ExpectError(2, "stpes", "steps");
        File.WriteAllText(_work["bundle/gendeg.ckpt"], "no weights");
        Run([.. made, "bundle"]).ExpectError(2, "gendeg.ckpt");
        Assert.False(File.Exists(_work["set/manifest.jsonl"]));
    }

    [Fact]
    public void A_file_of_a_NAFNet_restores_by_its_path()
    {
        NafNetConfig config = new()
        {
            Width = 8,
            EncoderBlocks = [1, 1],
            DecoderBlocks = [1, 1],
        };
        using (ComputeScope scope = new())
        using (NafNet network = new(config))
        {
            network.Initialize(1);
            foreach (Parameter parameter in network.Parameters.Where(p => p.Name.EndsWith("beta", StringComparison.Ordinal)))
                parameter.Value = torch.full(parameter.Shape, 0.3f);
            SafetensorsWriter.Write(_work["NAFNet-tiny.pth"], network.Parameters.ToDictionary(p => "params." + p.Name, p => p.Value));
            using Picture photo = ImageFile.Read(_work["photo.png"]);
            using Tensor expected = network.Restore(photo.Pixels).clamp(0, 1);
            Run(["restore", "photo.png", "--model", "NAFNet-tiny.pth", "-o", "restored.tif", "--dtype", "fp32"]).Expect(0);
            using Picture restored = ImageFile.Read(_work["restored.tif"]);
            Assert.InRange((restored.Pixels - expected).abs().max().item<float>(), 0, 1.1 / 255);
            Assert.True((restored.Pixels - photo.Pixels).abs().max().item<float>() > 3.0 / 255);
        }
        File.WriteAllText(_work["broken.pth"], "no weights");
        Run(["restore", "photo.png", "--model", "broken.pth", "-o", "no.png"]).ExpectError(1, "broken.pth");
    }

    private Outcome Run(string[] arguments) => DiffusionCommand.Run(_work.Folder, arguments);
}
