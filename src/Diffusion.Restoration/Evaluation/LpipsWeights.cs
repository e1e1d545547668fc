using Diffusion.Checkpoints;
using Diffusion.Metrics;
using Diffusion.Runtime;

namespace Diffusion.Evaluation;

/// <summary>Opens published weights for <see cref="Lpips"/> and tells by their names and shapes which network they are of.</summary>
public static class LpipsWeights
{
    /// <summary>LPIPS with the trunk of a file: torchvision's AlexNet, VGG-16 or SqueezeNet 1.1, or one in LPIPS names.</summary>
    /// <exception cref="CheckpointException">It is none of them.</exception>
    public static Lpips Open(string path)
    {
        using ComputeScope scope = new();
        using ICheckpoint file = Checkpoint.Open(path);
        // The classifier behind the trunk may be ten times its size.
        Dictionary<string, TensorEntry> trunk = file.Tensors.Where(entry => IsTrunk(entry.Key)).ToDictionary();
        TensorEntry first = trunk.GetValueOrDefault("features.0.weight")
            ?? trunk.GetValueOrDefault("net.slice1.0.weight")
            ?? throw new CheckpointException(
                "These are no weights for LPIPS: features.0.weight is missing",
                path,
                "Use torchvision's AlexNet, VGG-16 or SqueezeNet 1.1"
            );
        const int AlexNetKernel = 11;
        LpipsNet net =
            trunk.Keys.Any(name => name.Contains(".squeeze.", StringComparison.Ordinal)) ? LpipsNet.Squeeze
            : first.Shape is [_, _, AlexNetKernel, AlexNetKernel] ? LpipsNet.Alex
            : LpipsNet.Vgg;
        return new Lpips(net, trunk.ToDictionary(entry => entry.Key, entry => entry.Value.Read(ScalarType.Float32)));
    }

    private static bool IsTrunk(string name) =>
        name.StartsWith("features.", StringComparison.Ordinal)
        || name.StartsWith("net.slice", StringComparison.Ordinal)
        || name.StartsWith("lin", StringComparison.Ordinal);
}
