using Diffusion.Inverse;

namespace Diffusion.Operators;

/// <summary>
/// The preconditioner of convolution with any kernel on a picture of which nothing beyond its edges is assumed (<c>valid</c>): the whole of
/// |H|^2 on a torus with room for the kernel around the picture.
/// </summary>
internal sealed class OpenPreconditioner : Preconditioner
{
    private readonly Tensor _squares;
    private readonly long[] _torus;

    /// <param name="input">The picture.</param>
    /// <param name="kernel">Any kernel, float64.</param>
    /// <param name="device">Where its constants live.</param>
    public OpenPreconditioner(ImageShape input, Tensor kernel, Device device)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        _torus = [FastLength.From(input.Height + kernel.shape[0] - 1), FastLength.From(input.Width + kernel.shape[1] - 1)];
        _squares = torch.fft.rfft2(kernel, _torus).abs().square().to(ScalarType.Float32).to(device).DetachFromDisposeScope();
    }

    public override Tensor Solve(Tensor r, double rho)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return torch
            .fft.irfft2(torch.fft.rfft2(r, _torus) / (_squares + rho), _torus)
            .narrow(2, 0, r.shape[2])
            .narrow(3, 0, r.shape[3])
            .contiguous()
            .MoveToOuterDisposeScope();
    }

    public override void Dispose() => _squares.Dispose();
}
