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
            "a NAFNet",
            Refusal(
                new MemoryCheckpoint([
                    ("params.intro.weight", [32, 3, 3, 3]),
                    ("params.ending.weight", [3, 32, 3, 3]),
                    ("params.encoders.0.0.beta", [1, 32, 1, 1]),
                ])
            )
        );

    private static string Refusal(ICheckpoint file) =>
        Assert.Throws<CheckpointException>(() => NetworkWeights.Fill(new DruNet(new DruNetConfig([8, 8, 8, 8], 1)), file)).Message;
}
