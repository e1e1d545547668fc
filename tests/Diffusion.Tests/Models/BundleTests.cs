using Diffusion.Checkpoints;
using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Tests.Checkpoints;
using Diffusion.Tests.Networks;

namespace Diffusion.Tests.Models;

/// <summary>Several weight files with one card.</summary>
public sealed class BundleTests
{
    private static readonly NetworkCatalog Families = NetworkCatalog.With(typeof(BoxFamily).Assembly);

    private const string Card = """
        {"name":"two","kind":"pair","parts":{
          "plain":{"file":"plain.safetensors","prefix":"net."},
          "tuned":{"file":"plain.safetensors","kind":"box","config":{"side":3},"prefix":"net.",
                   "lora":{"file":"lora.safetensors","prefix":"unet."}}}}
        """;

    [Fact]
    public void Each_part_loads_from_its_file_with_its_updates()
    {
        using ComputeScope scope = new();
        using Scratch scratch = new();
        Write(scratch, Card);
        Bundle bundle = Bundle.Open(scratch.At(""), Families);
        Assert.Equal(("two", "pair"), (bundle.Name, bundle.Kind));
        Assert.Equal(["plain", "tuned"], bundle.Parts);
        using Network plain = bundle.Load("plain", ComputePolicy.Reference),
            tuned = bundle.Load("tuned", ComputePolicy.Reference);
        Assert.Equal(1, plain.Parameters[0].Value.mean().item<float>(), 1e-6);
        Assert.Equal(1 + 2 * 0.25, tuned.Parameters[0].Value.mean().item<float>(), 1e-6);
    }

    [Theory]
    [InlineData("[]", "no JSON object")]
    [InlineData("""{"name":"x","kind":"y"}""", "parts")]
    [InlineData("""{"name":"x","kind":"y","parts":{"a":{}}}""", "names no file")]
    [InlineData("""{"name":"x","kind":"y","parts":{"a":{"file":"gone.pt"}}}""", "\"a\" is missing")]
    [InlineData("""{"name":"x","kind":"y","parts":{"a":{"file":"../plain.safetensors/../../gone.pt"}}}""", "gone.pt")]
    public void A_card_that_cannot_be_used_is_named_with_the_reason(string card, string reason)
    {
        using ComputeScope scope = new();
        using Scratch scratch = new();
        Write(scratch, card);
        Assert.Contains(reason, Assert.Throws<CheckpointException>(() => Bundle.Open(scratch.At(""), Families)).Message);
    }

    [Fact]
    public void A_file_outside_the_folder_is_no_part()
    {
        using ComputeScope scope = new();
        using Scratch scratch = new();
        Write(scratch, "");
        Directory.CreateDirectory(scratch.At("inner"));
        File.WriteAllText(scratch.At("inner/card.json"), Card.Replace("\"file\":\"", "\"file\":\"../"));
        Assert.Contains("is missing", Assert.Throws<CheckpointException>(() => Bundle.Open(scratch.At("inner"), Families)).Message);
    }

    private static void Write(Scratch scratch, string card)
    {
        File.WriteAllText(scratch.At("card.json"), card);
        SafetensorsWriter.Write(
            scratch.At("plain.safetensors"),
            new Dictionary<string, Tensor> { ["net.box.weight"] = torch.ones(3, 1, 3, 3), ["other.weight"] = torch.ones(1) }
        );
        SafetensorsWriter.Write(
            scratch.At("lora.safetensors"),
            new Dictionary<string, Tensor>
            {
                ["unet.box.lora_A.weight"] = torch.full([2, 1, 3, 3], 0.5f),
                ["unet.box.lora_B.weight"] = torch.full([3, 2, 1, 1], 0.5f),
            }
        );
    }
}
