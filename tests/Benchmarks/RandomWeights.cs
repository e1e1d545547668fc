using Diffusion.Checkpoints;

namespace Diffusion.Benchmarks;

/// <summary>Normal numbers over the root of the fan-in; ones for norms, zeros for biases.</summary>
internal sealed class RandomWeights(string name, long[] shape) : TensorEntry
{
    public override string Name => name;
    public override ScalarType Dtype => ScalarType.Float32;
    public override IReadOnlyList<long> Shape => shape;

    public override Tensor Read(ScalarType? dtype = null)
    {
        if (shape.Length == 1)
            return name.EndsWith(".bias", StringComparison.Ordinal) ? torch.zeros(shape) : torch.ones(shape);
        using Tensor normal = torch.randn(shape);
        return normal / Math.Sqrt(shape.Skip(1).Aggregate(1L, (a, b) => a * b));
    }
}
