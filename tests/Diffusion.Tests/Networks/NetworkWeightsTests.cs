using Diffusion.Checkpoints;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Tests.Checkpoints;

namespace Diffusion.Tests.Networks;

/// <summary>What is said of weights that do not fit.</summary>
public sealed class NetworkWeightsTests
{
    [Fact]
    public void Lora_files_are_named() =>
        Assert.Contains(
            "only LoRA updates",
            Refusal(new MemoryCheckpoint([("unet.conv_in.lora_A.weight", [16, 4, 3, 3]), ("unet.conv_in.lora_B.weight", [320, 16, 1, 1])]))
        );

    [Fact]
    public void Other_families_are_named() =>
        Assert.Contains(
            "a DDPM UNet",
            Refusal(new MemoryCheckpoint([("temb.dense.0.weight", [512, 128]), ("conv_in.weight", [128, 3, 3, 3])]))
        );

    private static string Refusal(ICheckpoint file) =>
        Assert.Throws<CheckpointException>(() => NetworkWeights.Fill(new DruNet(new DruNetConfig([8, 8, 8, 8], 1)), file)).Message;
}
