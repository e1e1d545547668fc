namespace Diffusion.Runtime;

/// <summary>No gradients and one dispose scope on this thread, until disposed. Entered by every public entry point that computes.</summary>
/// <remarks>Gradient mode and dispose scopes are thread-static: no <c>await</c> and no change of thread while one is open.</remarks>
public sealed class ComputeScope : IDisposable
{
    private readonly IDisposable _noGrad;
    private readonly DisposeScope _scope;

    /// <summary>Enters the scope.</summary>
    public ComputeScope()
    {
        NativeLibraries.LoadTorch();
        _noGrad = torch.no_grad();
        _scope = torch.NewDisposeScope();
    }

    /// <summary>Hands a result [...] over to the caller's scope (or to nobody's, if there is none): the caller owns it.</summary>
    public Tensor Return(Tensor result) => result.MoveToOuterDisposeScope();

    /// <inheritdoc/>
    public void Dispose()
    {
        _scope.Dispose();
        _noGrad.Dispose();
    }
}
