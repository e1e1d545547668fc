using Diffusion.Checkpoints;

namespace Diffusion.Training;

/// <summary>An epsilon network as the trainer sees it: parameters to fill and a differentiable prediction.</summary>
public interface ITrainableNetwork : IDisposable
{
    /// <summary>All parameters, in the published order.</summary>
    IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>The noise estimate.</summary>
    /// <param name="x">[N,C,H,W] float32, x_t of a variance-preserving schedule; borrowed.</param>
    /// <param name="times">[N] float32, fractional times; borrowed.</param>
    /// <returns>[N,C,H,W] float32, differentiable with respect to the parameters.</returns>
    Tensor Predict(Tensor x, Tensor times);
}
