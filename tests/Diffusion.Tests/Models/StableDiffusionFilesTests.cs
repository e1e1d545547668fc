using System.Text.Json.Nodes;
using Diffusion.Checkpoints;
using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Tests.Checkpoints;
using Diffusion.Tests.Parity;

namespace Diffusion.Tests.Models;

/// <summary>Stable Diffusion in one file, weights in several, and the autoencoder in tiles.</summary>
public sealed class StableDiffusionFilesTests
{
    private static readonly StableDiffusionUNetConfig UNet = new()
    {
        BlockOutChannels = [32, 64, 96, 96],
        DownBlockTypes = StableDiffusionUNetConfig.DownTypes([true, true, true, false]),
        UpBlockTypes = StableDiffusionUNetConfig.UpTypes([false, true, true, true]),
        CrossAttentionDim = 16,
    };

    private static readonly AutoencoderKLConfig Vae = new() { BlockOutChannels = [32, 64, 96, 96], LayersPerBlock = 2 };

    [Theory, InlineData(true, ScalarType.Float32), InlineData(false, ScalarType.Float16), InlineData(true, ScalarType.BFloat16)]
    public void A_single_file_with_CompVis_names_loads_with_its_averages(bool averaged, ScalarType stored)
    {
        using ComputeScope scope = new();
        using Scratch scratch = new();
        using StableDiffusionUNet unet = new(UNet);
        using AutoencoderKL vae = new(Vae);
        unet.Initialize(1);
        vae.Initialize(2);
        Dictionary<string, Tensor> file = [];
        foreach ((string compVis, string name) in Map("unet"))
        {
            Tensor value = unet.Parameters.Single(p => p.Name == name).Value.to(stored);
            file["model.diffusion_model." + compVis] = averaged ? torch.zeros_like(value) : value;
            if (averaged)
                file["model_ema.diffusion_model" + compVis.Replace(".", "")] = value;
        }
        foreach ((string compVis, string name) in Map("vae"))
            file["first_stage_model." + compVis] = vae.Parameters.Single(p => p.Name == name).Value.to(stored);
        file["cond_stage_model.model.ln_final.weight"] = torch.ones(1);
        string path = scratch.At("v2-1_512-ema-pruned.ckpt");
        SafetensorsWriter.Write(path, file);

        using StableDiffusionFiles files = StableDiffusionFiles.Open(path);
        using StableDiffusionUNet loaded = files.LoadUNet(ComputePolicy.Reference);
        using AutoencoderKL loadedVae = files.LoadVae(ComputePolicy.Reference);
        foreach ((Network was, Network became) in new (Network, Network)[] { (unet, loaded), (vae, loadedVae) })
            Assert.All(was.Parameters.Zip(became.Parameters), pair =>
                TensorAssert.Close(pair.First.Name, pair.First.Value.to(stored).to(ScalarType.Float32), pair.Second.Value, 0, 0)
            );
    }

    [Theory]
    [InlineData("""{"weight_map":{"a":"gone.safetensors"}}""", "gone.safetensors")]
    [InlineData("""{"weight_map":{"a":"../up.safetensors"}}""", "names no file")]
    [InlineData("""{"weight_map":{"b":"part.safetensors"}}""", "b is missing")]
    [InlineData("""{"weight_map":{"a":"x.safetensors.index.json"}}""", "not a checkpoint")]
    [InlineData("""{"weight_map":{}}""", "no index")]
    [InlineData("{", "no index")]
    public void An_index_that_cannot_be_used_says_why(string index, string expected)
    {
        using Scratch scratch = new();
        SafetensorsWriter.Write(scratch.At("part.safetensors"), new Dictionary<string, Tensor> { ["a"] = torch.ones(1) });
        File.WriteAllText(scratch.At("x.safetensors.index.json"), index);
        Assert.Contains(
            expected,
            Assert.Throws<CheckpointException>(() => Checkpoint.Open(scratch.At("x.safetensors.index.json"))).Message
        );
    }

    [Fact]
    public void Tiles_of_the_autoencoder_leave_no_seam()
    {
        using ComputeScope scope = new();
        using AutoencoderKL vae = new(Vae with { BlockOutChannels = [32, 32], LayersPerBlock = 1 });
        vae.Initialize(5);
        Tensor ramp = torch.linspace(-1, 1, 192);
        Tensor picture = (ramp.unsqueeze(1) + ramp).expand(1, 3, 192, 192) / 2;
        Tensor whole = LatentTiles.Encode(vae, picture, null),
            tiled = LatentTiles.Encode(vae, picture, 96);
        Assert.Equal(whole.shape, tiled.shape);
        Tensor decoded = LatentTiles.Decode(vae, LatentGaussian.Mean(whole), 96),
            expected = LatentTiles.Decode(vae, LatentGaussian.Mean(whole), null);
        Assert.Equal(expected.shape, decoded.shape);
        // Tiles differ from the whole; what they differ by must have no step where they meet.
        Tensor difference = (decoded - expected).mean([1L, 2L])[0];
        double step = (difference.narrow(0, 1, 191) - difference.narrow(0, 0, 191)).abs().narrow(0, 8, 175).max().item<float>(),
            range = (difference.max() - difference.min()).item<float>();
        Assert.True(step < 0.15 * range, $"A step of {step} in differences of {range}.");
    }

    [Fact]
    public void The_layer_where_a_network_overflows_is_named()
    {
        using ComputeScope scope = new();
        using StableDiffusionUNet unet = new(UNet, new ComputePolicy { NetworkDtype = ScalarType.Float16, Fused = false });
        unet.Initialize(1);
        unet.Parameters.Single(p => p.Name == "down_blocks.1.resnets.1.conv2.bias").Value.fill_(65504);
        unet.Parameters.Single(p => p.Name == "down_blocks.1.resnets.1.conv2.weight").Value.fill_(65504);
        Tensor x = torch.ones(1, 4, 8, 8),
            t = torch.tensor([399f]),
            context = torch.ones(1, 3, 16);
        string message = Assert
            .Throws<NumericalException>(() => FiniteOutput.Of(unet, "The UNet", module => unet.Forward(x, t, context, module)))
            .Message;
        Assert.Contains("overflows fp16 in its layer down_blocks.1.resnets.1.", message);
        Assert.Contains("--dtype bf16", message);
    }

    private static IEnumerable<(string CompVis, string Diffusers)> Map(string part) =>
        JsonNode.Parse(File.ReadAllText(ParityCase.DataFile("manifests/sd-compvis-to-diffusers.json")))!.AsObject()[part]!
            .AsObject()
            .Select(pair => (pair.Key, (string)pair.Value!));
}
