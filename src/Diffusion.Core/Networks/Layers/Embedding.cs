using Diffusion.Checkpoints;

namespace Diffusion.Networks.Layers;

/// <summary>A table of learned rows, looked up by number. Always float32. Returned tensors belong to the caller.</summary>
public sealed class Embedding
{
    private readonly Parameter _weight;

    /// <summary>Declares <c>NAME.weight</c> [rows, width].</summary>
    public Embedding(Network network, string name, long rows, long width) =>
        _weight = network.Declare($"{name}.weight", [rows, width], Init.Normal, keepFloat32: true);

    /// <summary>[N] int64 to [N,width].</summary>
    public Tensor Forward(Tensor index) => _weight.Value.index_select(0, index);
}
