using Diffusion.Inverse;

namespace Diffusion.Operators;

/// <summary>The preconditioner of convolution with an even kernel on a picture reflected about its edge pixels (<c>reflect</c>).</summary>
/// <remarks>
/// The reflected picture is a torus of (2H-2) x (2W-2) pixels, on which every pixel appears four times but those at the edges twice or
/// once: A = W^-1 B W with B symmetric, diagonal under the DCT-I, and W^2 = 1/2 on
/// each edge. Then W (B^2 + rho) W and A^T A + rho differ by the factor W^-2, between 1 and 4 (1 away from the edges): the condition number
/// after preconditioning is at most 4, whatever kernel, size and rho.
/// </remarks>
internal sealed class ReflectedPreconditioner : Preconditioner
{
    private readonly Tensor _squares,
        _edges;
    private readonly long _height,
        _width;

    /// <param name="input">The picture, at least 2 x 2.</param>
    /// <param name="kernel">Even in both directions, float64.</param>
    /// <param name="device">Where its constants live.</param>
    public ReflectedPreconditioner(ImageShape input, Tensor kernel, Device device)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        (_height, _width) = (2 * input.Height - 2, 2 * input.Width - 2);
        Tensor transfer = CircularConvolution.TransferOf(kernel, (int)_height, (int)_width, kernel.shape[0] / 2, kernel.shape[1] / 2).real;
        _squares = transfer.narrow(1, 0, _width / 2 + 1).square().to(ScalarType.Float32).to(device).DetachFromDisposeScope();
        _edges = (Edges(input.Height).unsqueeze(1) * Edges(input.Width)).to(device).DetachFromDisposeScope();
    }

    /// <summary>W^-1 (B^2 + rho)^-1 W^-1 r.</summary>
    public override Tensor Solve(Tensor r, double rho)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        (long h, long w) = (r.shape[2], r.shape[3]);
        Tensor extended = torch.nn.functional.pad(r * _edges, [0, w - 2, 0, h - 2], PaddingModes.Reflect);
        return torch
            .fft.irfft2(torch.fft.rfft2(extended) / (_squares + rho), [_height, _width])
            .narrow(2, 0, h)
            .narrow(3, 0, w)
            .contiguous()
            .MoveToOuterDisposeScope();
    }

    public override void Dispose()
    {
        _squares.Dispose();
        _edges.Dispose();
    }

    private static Tensor Edges(int n)
    {
        Tensor edges = torch.ones(n);
        edges[0] = 2;
        edges[n - 1] = 2;
        return edges;
    }
}
