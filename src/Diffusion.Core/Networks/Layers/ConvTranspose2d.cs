using Diffusion.Checkpoints;

namespace Diffusion.Networks.Layers;

/// <summary>
/// The transpose of a convolution whose stride is its kernel's side: every pixel becomes a square. Computed in the dtype of its weights.
/// Returned tensors belong to the caller.
/// </summary>
public sealed class ConvTranspose2d
{
    private readonly Parameter _weight;
    private readonly long _stride;

    /// <summary>Declares <c>NAME.weight</c> [inputs, outputs, stride, stride].</summary>
    public ConvTranspose2d(Network network, string name, long inputs, long outputs, int stride = 2)
    {
        _weight = network.Declare($"{name}.weight", [inputs, outputs, stride, stride], Init.FanIn(outputs * stride * stride));
        _stride = stride;
    }

    /// <summary>[N,inputs,H,W] to [N,outputs,stride H,stride W].</summary>
    public Tensor Forward(Tensor x)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return torch
            .nn.functional.conv_transpose2d(x.to(_weight.Value.dtype), _weight.Value, strides: [_stride, _stride])
            .MoveToOuterDisposeScope();
    }
}
