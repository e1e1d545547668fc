using Diffusion.Inverse;

namespace Diffusion.Operators;

/// <summary>The preconditioner of convolution with any kernel on a picture whose edge pixels are repeated (<c>replicate</c>): the whole of |H|^2 on a torus around the extended picture.</summary>
/// <remarks>D^-1 P^T (T + rho)^-1 P D^-1, with P the extension and D = P^T P how often each pixel occurs in it: exact where T is a multiple of the identity. Edge pixels occur many times, which a torus of the picture alone ignores at four times the iterations.</remarks>
internal sealed class ExtendedTorus : Preconditioner
{
    private readonly Padding _extension;
    private readonly OpenTorus _torus;
    private readonly Tensor _shares;

    /// <param name="input">The picture.</param>
    /// <param name="kernel">Any kernel, float64.</param>
    /// <param name="extension">P; owned.</param>
    /// <param name="device">Where its constants live.</param>
    public ExtendedTorus(ImageShape input, Tensor kernel, Padding extension, Device device)
    {
        _extension = extension;
        (long height, long width) = extension.Extended;
        _torus = new OpenTorus(input with { Height = (int)height, Width = (int)width }, kernel, device);
        using Tensor copies = extension.Copies();
        _shares = copies.reciprocal().DetachFromDisposeScope();
    }

    public override Tensor Solve(Tensor r, double rho)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return (_extension.Fold(_torus.Solve(_extension.Extend(r * _shares), rho)) * _shares).MoveToOuterDisposeScope();
    }

    public override void Dispose()
    {
        _extension.Dispose();
        _torus.Dispose();
        _shares.Dispose();
    }
}
