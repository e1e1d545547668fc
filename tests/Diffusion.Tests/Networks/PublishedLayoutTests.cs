using System.Text.Json.Nodes;
using Diffusion.Networks;
using Diffusion.Tests.Parity;

namespace Diffusion.Tests.Networks;

public sealed class PublishedLayoutTests
{
    [Theory]
    [
        InlineData("64x64_diffusion"),
        InlineData("128x128_diffusion"),
        InlineData("256x256_diffusion"),
        InlineData("256x256_diffusion_uncond"),
        InlineData("512x512_diffusion"),
        InlineData("ffhq_10m")
    ]
    [InlineData("cd_bedroom256_lpips"), InlineData("cd_imagenet64_lpips")]
    public void Names_and_shapes_are_those_of_the_published_file(string manifest)
    {
        if (!TestPaths.ParityRoots.Any())
            Assert.Skip("There are no reference numbers.");
        JsonObject json = JsonNode.Parse(File.ReadAllText(ParityCase.DataFile(Path.Combine("manifests", $"{manifest}.json"))))!.AsObject();
        AdmUNetConfig config = AdmUNetConfig.Keys.Read(json["config"]!["network"]!.AsObject());
        using AdmUNet network = manifest.StartsWith("cd_", StringComparison.Ordinal) ? new ConsistencyUNet(config) : new AdmUNet(config);
        string[] published =
        [
            .. json["tensors"]!.AsObject().Select(tensor => $"{tensor.Key} [{string.Join(",", tensor.Value![1]!.AsArray())}]"),
        ];
        Assert.Equal(published, network.Parameters.Select(p => $"{p.Name} [{string.Join(",", p.Shape)}]"));
    }
}
