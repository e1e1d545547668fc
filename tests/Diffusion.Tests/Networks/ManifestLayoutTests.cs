using System.Text.Json.Nodes;
using Diffusion.Checkpoints;
using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Tests.Checkpoints;
using Diffusion.Tests.Parity;

namespace Diffusion.Tests.Networks;

/// <summary>Networks that are built from what a published file shows take every weight of it.</summary>
public sealed class ManifestLayoutTests
{
    [Theory]
    [InlineData("clip-vit-l14-text-hf", null)]
    [InlineData("sd21base-text-hf", null)]
    [InlineData("openclip-h14-text", null)]
    [InlineData("nafnet-gopro-width32", "nafnet-gopro-width32")]
    [InlineData("nafnet-gopro-width64", "nafnet-gopro-width64")]
    [InlineData("nafnet-sidd-width32", "nafnet-sidd-width32")]
    [InlineData("nafnet-sidd-width64", "nafnet-sidd-width64")]
    [InlineData("gendeg-structure-correction", "gendeg-structure-correction")]
    public void A_published_file_fills_the_network_that_its_shapes_and_name_show(string manifest, string? entry)
    {
        JsonObject json = JsonNode.Parse(File.ReadAllText(ParityCase.DataFile(Path.Combine("manifests", $"{manifest}.json"))))!.AsObject();
        MemoryCheckpoint file = MemoryCheckpoint.FromManifest(json, "state_dict.", Path.GetFileName((string)json["checkpoint"]!));
        CheckpointIdentity identity = CheckpointCatalog.Default.Identify(file)!;
        if (entry is not null)
            Assert.Equal(entry, identity.Entry?.Name);
        RecognizedNetwork found = NetworkCatalog.BuiltIn.Recognize(file)!;
        JsonObject config = identity.Entry?.Architecture.Config ?? found.Family.Complete(found.Config).Config;
        using Network network = found.Family.Create(config, null);
        LoadReport report = StateDictLoader.Compare(network.Parameters, found.Weights(file));
        Assert.True(report.Fits, report.Summary);
        foreach ((string key, JsonNode? published) in json["config"]!.AsObject())
            if (config[key] is { } own && key != "projection_dim")
                Assert.True(
                    JsonNode.DeepEquals(JsonNode.Parse(published!.ToJsonString()), JsonNode.Parse(own.ToJsonString())),
                    $"{key} is {published} and not {own}."
                );
    }
}
