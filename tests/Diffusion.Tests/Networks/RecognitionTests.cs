using System.Text.Json.Nodes;
using Diffusion.Checkpoints;
using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Tests.Checkpoints;

namespace Diffusion.Tests.Networks;

using Architecture = Diffusion.Networks.Architecture;

/// <summary>Published layouts, as the manifests beside the parity cases list them, and networks built here.</summary>
public sealed class RecognitionTests
{
    private static readonly Dictionary<string, string> Kinds = new()
    {
        ["128x128_diffusion"] = "adm-unet",
        ["256x256_diffusion"] = "adm-unet",
        ["256x256_diffusion_uncond"] = "adm-unet",
        ["512x512_diffusion"] = "adm-unet",
        ["64x64_diffusion"] = "adm-unet",
        ["ffhq_10m"] = "adm-unet",
        ["cd_bedroom256_lpips"] = "consistency-unet",
        ["cd_imagenet64_lpips"] = "consistency-unet",
        ["256x256_classifier"] = "adm-classifier",
        ["gendeg"] = "gendeg",
        ["gendeg-structure-correction"] = "nafnet",
        ["nafnet-gopro-width32"] = "nafnet",
        ["nafnet-gopro-width64"] = "nafnet",
        ["nafnet-sidd-width32"] = "nafnet",
        ["nafnet-sidd-width64"] = "nafnet",
        ["clip-vit-l14-text-hf"] = "clip-text",
        ["sd21base-text-hf"] = "clip-text",
        ["openclip-h14-text"] = "openclip-text",
        ["sd-vae-diffusers"] = "sd-vae",
        ["sd15-unet-diffusers"] = "sd-unet",
        ["sd15-unet-8ch-diffusers"] = "sd-unet",
        ["sd21base-unet-diffusers"] = "sd-unet",
        ["sd15-compvis"] = "stable-diffusion",
        ["sd21base-compvis"] = "stable-diffusion",
        ["osdface-associate_2"] = "vre",
        ["osdface-embedding-change"] = "embedding-change",
        ["osdface-lora-possible"] = "lora",
    };

    public static TheoryData<string> Manifests =>
        [
            .. TestPaths
                .ParityRoots.Select(root => Path.Combine(root, "manifests"))
                .Where(Directory.Exists)
                .SelectMany(folder => Directory.GetFiles(folder, "*.json"))
                .Where(file => Read(file)["tensors"] is not null)
                .DistinctBy(Path.GetFileName)
                .DefaultIfEmpty(""),
        ];

    [Theory, MemberData(nameof(Manifests))]
    public void Every_manifest_is_recognised(string path)
    {
        JsonObject manifest = Manifest(path);
        string name = Path.GetFileNameWithoutExtension(path);
        foreach (string prefix in new[] { "", "state_dict." })
        {
            RecognizedNetwork found = NetworkCatalog.BuiltIn.Recognize(MemoryCheckpoint.FromManifest(manifest, prefix))
                ?? throw new Xunit.Sdk.XunitException($"{name} is not recognised.");
            Assert.Equal(Kinds[name], found.Family.Kind);
            Assert.NotEmpty(found.Family.Description);
        }
    }

    [Theory, MemberData(nameof(Manifests))]
    public void Pixel_space_manifests_get_their_published_configuration_by_name_and_by_shapes(string path)
    {
        JsonObject manifest = Manifest(path);
        string file = (string)manifest["checkpoint"]!;
        if (Kinds[Path.GetFileNameWithoutExtension(path)] is not ("adm-unet" or "consistency-unet"))
            return;
        foreach (string fileName in new[] { file, "renamed.pt" })
        {
            CheckpointIdentity identity = CheckpointCatalog.Default.Identify(MemoryCheckpoint.FromManifest(manifest, path: fileName))!;
            Assert.Contains(file, identity.Candidates.SelectMany(entry => entry.Files));
            if (fileName == file)
                Assert.Contains(file, identity.Entry!.Files);
            HasConfiguration(manifest["config"]!, fileName == file ? identity.Entry!.Architecture : identity.Candidates[0].Architecture);
        }
    }

    [
        Theory,
        InlineData("256x256_diffusion_uncond.pt", "epsilon"),
        InlineData("cd_bedroom256_lpips.pt", "consistency"),
        InlineData("edm_bedroom256_ema.pt", "edm"),
        InlineData("CT_CAT256.PT", "consistency")
    ]
    public void Files_of_one_layout_are_told_apart_by_their_names(string file, string prediction)
    {
        Architecture layout = CheckpointCatalog.Default.Find(file)!.Architecture;
        CheckpointIdentity identity = CheckpointCatalog.Default.Identify(Built(layout, file))!;
        Assert.Equal(prediction, (string?)identity.RequireCard()["prediction"]);
    }

    [Fact]
    public void A_renamed_consistency_model_is_not_guessed()
    {
        CheckpointIdentity identity = CheckpointCatalog.Default.Identify(
            Built(
                CheckpointCatalog.Default.Find("cd_bedroom256_lpips")?.Architecture
                    ?? CheckpointCatalog.Default.Find("cd-bedroom256-lpips")!.Architecture,
                "renamed.pt"
            )
        )!;
        string message = Assert.Throws<Diffusion.Runtime.CheckpointException>(() => identity.RequireCard()).Message;
        Assert.Contains("consistency or edm", message);
        Assert.Contains("edm_bedroom256_ema.pt", message);
    }

    [Fact]
    public void Files_that_are_run_alike_stand_for_each_other()
    {
        CheckpointIdentity identity = CheckpointCatalog.Default.Identify(
            Built(CheckpointCatalog.Default.Find("lsun_cat.pt")!.Architecture, "renamed.pt")
        )!;
        Assert.Equal(256, (int)identity.RequireCard()["config"]!["image_size"]!);
        Assert.Contains("run alike", identity.Note);
    }

    [Fact]
    public void An_unlisted_network_says_what_is_assumed()
    {
        JsonObject config = JsonNode
            .Parse(
                """
                {"in_channels":3,"out_channels":6,"model_channels":64,"num_res_blocks":1,"channel_mult":[1,2],"attention_resolutions":[2],
                "num_classes":null,"use_scale_shift_norm":true,"resblock_updown":false,"conv_resample":true}
                """
            )!
            .AsObject();
        CheckpointIdentity identity = CheckpointCatalog.Default.Identify(Built(new Architecture("adm-unet", config), "mine.pt"))!;
        Assert.Contains("assumed", identity.Note);
        Assert.Equal("mine", (string?)identity.RequireCard()["name"]);
    }

    [Fact]
    public void Every_combination_of_constructor_arguments_is_read_back()
    {
        foreach (string kind in new[] { "adm-unet", "consistency-unet" })
        foreach (int blocks in new[] { 0, 1, 3 })
        foreach (string multipliers in new[] { "[1]", "[1,2]", "[0.5,1,1.5,2]" })
        foreach (string attention in new[] { "[]", "[1]", "[2]", "[1,4]" })
        foreach (int bits in Enumerable.Range(0, 16))
        {
            bool updown = (bits & 1) != 0,
                pools = (bits & 2) != 0;
            JsonArray levels = JsonNode.Parse(multipliers)!.AsArray();
            JsonObject config = new()
            {
                ["in_channels"] = 3,
                ["out_channels"] = 3 + (bits / 4 % 2 * 3),
                ["model_channels"] = 64,
                ["num_res_blocks"] = blocks,
                ["channel_mult"] = levels,
                ["attention_resolutions"] = new JsonArray([
                    .. JsonNode
                        .Parse(attention)!
                        .AsArray()
                        .Where(factor => (int)factor! < 1 << levels.Count)
                        .Select(factor => (JsonNode)(int)factor!),
                ]),
                ["num_classes"] = (bits & 4) != 0 ? 10 : null,
                ["use_scale_shift_norm"] = (bits & 8) != 0,
                ["resblock_updown"] = levels.Count > 1 && updown,
                ["conv_resample"] = levels.Count == 1 || updown || !pools,
                ["pixel_norm"] = false,
                ["middle_attention"] = true,
            };
            Architecture found = NetworkCatalog.BuiltIn.Recognize(Built(new Architecture(kind, config), "x.pt"))!.Architecture;
            Assert.Equal(kind, found.Kind);
            Assert.True(
                JsonNode.DeepEquals(JsonNode.Parse(config.ToJsonString()), JsonNode.Parse(found.Config.ToJsonString())),
                $"{config.ToJsonString()} was read as {found.Config.ToJsonString()}"
            );
        }
    }

    [Theory, InlineData(1, "m_body.res.0.weight"), InlineData(4, "m_body.3.res.2.weight")]
    public void Drunets_are_recognised(int blocks, string expected)
    {
        List<(string, long[])> weights = [("m_head.weight", [64, 4, 3, 3]), ("m_tail.weight", [3, 64, 3, 3])];
        int[] widths = [64, 128, 256, 512];
        for (int level = 1; level <= 3; level++)
            weights.Add(($"m_down{level}.{blocks}.weight", [widths[level], widths[level - 1], 2, 2]));
        for (int i = 0; i < blocks; i++)
            foreach (int layer in new[] { 0, 2 })
                weights.Add((blocks == 1 ? $"m_body.res.{layer}.weight" : $"m_body.{i}.res.{layer}.weight", [512, 512, 3, 3]));
        Assert.Contains(weights, weight => weight.Item1 == expected);
        CheckpointIdentity identity = CheckpointCatalog.Default.Identify(new MemoryCheckpoint(weights))!;
        Assert.Equal("drunet", identity.Architecture.Kind);
        Assert.Equal(blocks, (int)identity.Architecture.Config["nb"]!);
        Assert.Equal(blocks == 4, identity.Entry?.Name == "drunet-color");
        Assert.Equal("x0", (string?)identity.RequireCard()["prediction"]);
    }

    [Fact]
    public void Weights_of_no_family_are_not_recognised() =>
        Assert.Null(NetworkCatalog.BuiltIn.Recognize(new MemoryCheckpoint([("layer.weight", [1])])));

    private static MemoryCheckpoint Built(Architecture architecture, string path)
    {
        AdmUNetConfig config = AdmUNetConfig.Keys.Read(architecture.Config);
        using AdmUNet network = architecture.Kind == "adm-unet" ? new AdmUNet(config) : new ConsistencyUNet(config);
        return new MemoryCheckpoint(network.Parameters.Select(parameter => (parameter.Name, parameter.Shape)), path: path);
    }

    private static void HasConfiguration(JsonNode published, Architecture actual)
    {
        foreach ((string key, JsonNode? value) in published["network"]!.AsObject())
        {
            if (key is "dropout" || (key == "num_heads" && published["network"]!["num_head_channels"] is not null))
                continue;
            Assert.True(
                JsonNode.DeepEquals(value, JsonNode.Parse((actual.Config[key] ?? "null").ToJsonString()) ?? null)
                    || (value is null && actual.Config[key] is null),
                $"{key}: {actual.Config[key]} instead of {value}"
            );
        }
    }

    private static JsonObject Manifest(string path)
    {
        if (path.Length == 0)
            Parity.ParityCase.Open("");
        return Read(path);
    }

    private static JsonObject Read(string path) => JsonNode.Parse(File.ReadAllText(path))!.AsObject();
}
