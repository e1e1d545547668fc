using System.Text.Json.Nodes;
using Diffusion.Checkpoints;
using Diffusion.Networks;
using Diffusion.Tests.Checkpoints;
using Diffusion.Tests.Parity;

namespace Diffusion.Tests.Networks;

/// <summary>Published names of Stable Diffusion, and the networks that are built from them.</summary>
public sealed class StableDiffusionNamesTests
{
    [Theory]
    [InlineData("sd15-unet-diffusers", "8")]
    [InlineData("sd15-unet-8ch-diffusers", "8")]
    [InlineData("sd21base-unet-diffusers", "5,10,20,20")]
    [InlineData("sd-vae-diffusers", null)]
    public void A_network_built_by_shapes_has_the_published_names_and_shapes(string manifest, string? heads)
    {
        MemoryCheckpoint file = Manifest(manifest);
        RecognizedNetwork found = NetworkCatalog.BuiltIn.Recognize(file)!;
        JsonObject config = found.Family.Complete(found.Config).Config;
        using Network network = found.Family.Create(config, null);
        Assert.Equal(Layout(file), network.Parameters.Select(p => $"{p.Name} [{string.Join(",", p.Shape)}]").Order());
        if (heads is not null)
            Assert.Equal(heads, string.Join(",", config["attention_head_dim"]!.AsArray().Select(number => (int)number!)));
        using Network published = found.Family.Create(Json(manifest)["config"]!.AsObject(), null);
        Assert.Equal(Layout(file), published.Parameters.Select(p => $"{p.Name} [{string.Join(",", p.Shape)}]").Order());
    }

    [Theory, InlineData("unet", "sd-unet"), InlineData("vae", "sd-vae")]
    public void Names_of_CompVis_become_those_of_the_recorded_map(string part, string kind)
    {
        (string CompVis, string Diffusers)[] map =
        [
            .. Json("sd-compvis-to-diffusers")[part]!.AsObject().Select(pair => (pair.Key, (string)pair.Value!)),
        ];
        // A number that differs from name to name tells where each tensor went.
        using ICheckpoint renamed = NetworkCatalog
            .BuiltIn.Find(kind)
            .Named(new MemoryCheckpoint(map.Select((pair, i) => (pair.CompVis, new[] { (long)i + 1 }))));
        Assert.Equal(
            map.Select((pair, i) => (pair.Diffusers, (long)i + 1)).Order(),
            renamed.Tensors.Select(pair => (pair.Key, pair.Value.Shape[0])).Order()
        );
    }

    [Fact]
    public void Attention_goes_by_its_old_names_in_older_autoencoders()
    {
        MemoryCheckpoint file = Manifest("sd-vae-diffusers");
        JsonObject old = Json("sd-vae-diffusers")["config"]!["old_attention_names"]!.AsObject();
        string Aged(string name) =>
            !name.Contains("attentions.0.to_", StringComparison.Ordinal)
                ? name
                : old.Where(pair => pair.Key.StartsWith("to_", StringComparison.Ordinal))
                    .Aggregate(name, (aged, pair) => aged.Replace($".{pair.Key}.", $".{(string)pair.Value!}.", StringComparison.Ordinal));
        MemoryCheckpoint aged = new(file.Tensors.Select(pair => (Aged(pair.Key), pair.Value.Shape.ToArray())));
        Assert.Equal(16, aged.Tensors.Keys.Except(file.Tensors.Keys).Count());
        RecognizedNetwork found = NetworkCatalog.BuiltIn.Recognize(aged)!;
        Assert.Equal("sd-vae", found.Family.Kind);
        Assert.Equal(file.Tensors.Keys.Order(), found.Family.Named(aged).Tensors.Keys.Order());
    }

    private static IEnumerable<string> Layout(MemoryCheckpoint file) =>
        file.Tensors.Select(pair => $"{pair.Key} [{string.Join(",", pair.Value.Shape)}]").Order();

    private static MemoryCheckpoint Manifest(string name) => MemoryCheckpoint.FromManifest(Json(name));

    private static JsonObject Json(string name) =>
        JsonNode.Parse(File.ReadAllText(ParityCase.DataFile(Path.Combine("manifests", $"{name}.json"))))!.AsObject();
}
