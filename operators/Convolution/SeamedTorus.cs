using Diffusion.Inverse;

namespace Diffusion.Operators;

/// <summary>The preconditioner of convolution with any kernel on a picture mirrored at its edges (<c>symmetric</c>): what is true inside, and near the edges what is true of an even kernel there.</summary>
/// <remarks>
/// S (T + rho)^-1 S + C (M + rho)^-1 C with S^2 + C^2 = 1. T is the whole of |H|^2 on a torus, which knows no mirrored edges; M is the mirrored torus of an even kernel, which takes a slanted kernel for the mean
/// of itself and its mirror image. S grows from 0 at the edges to 1 one kernel's size away from them. Either alone takes more iterations.
/// </remarks>
internal sealed class SeamedTorus : Preconditioner
{
    private readonly OpenTorus _inside;
    private readonly MirroredTorus _edges;
    private readonly Tensor _insideShare, _edgeShare;

    /// <param name="input">The picture.</param>
    /// <param name="kernel">Any kernel, float64.</param>
    /// <param name="edges">The mirrored torus; borrowed.</param>
    /// <param name="device">Where its constants live.</param>
    public SeamedTorus(ImageShape input, Tensor kernel, MirroredTorus edges, Device device)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        _inside = new OpenTorus(input, kernel, device);
        _edges = edges;
        float size = kernel.shape.Max();
        Tensor angle = torch.minimum(Distance(input.Height).unsqueeze(1), Distance(input.Width)) * (Math.PI / 2 / size);
        angle = angle.clamp_max(Math.PI / 2);
        _insideShare = angle.sin().to(device).DetachFromDisposeScope();
        _edgeShare = angle.cos().to(device).DetachFromDisposeScope();
    }

    public override Tensor Solve(Tensor r, double rho)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return (_inside.Solve(r * _insideShare, rho) * _insideShare + _edges.SolveNormal(r * _edgeShare, rho) * _edgeShare).MoveToOuterDisposeScope();
    }

    public override void Dispose()
    {
        _inside.Dispose();
        _insideShare.Dispose();
        _edgeShare.Dispose();
    }

    private static Tensor Distance(int n)
    {
        Tensor i = torch.arange(n, ScalarType.Float32);
        return torch.minimum(i, n - 1 - i);
    }
}
