using Diffusion.Inverse;

namespace Diffusion.Tests.Solvers;

/// <summary>The thin singular value decomposition of a small operator, from its matrix.</summary>
internal sealed class DenseSpectrum : Spectrum
{
    private readonly LinearOperator _a;
    private readonly Tensor _u,
        _v;

    public DenseSpectrum(LinearOperator a)
    {
        _a = a;
        using DisposeScope scope = torch.NewDisposeScope();
        long count = a.Input.Count;
        Tensor matrix = a.Apply(torch.eye(count).reshape(a.Input.Batch(count))).reshape(count, -1).t().to(ScalarType.Float64);
        (Tensor u, Tensor s, Tensor vt) = torch.linalg.svd(matrix, fullMatrices: false);
        Singulars = torch.where(s > 1e-6 * s.max(), s, 0).to(ScalarType.Float32).DetachFromDisposeScope();
        _u = u.to(ScalarType.Float32).DetachFromDisposeScope();
        _v = vt.t().to(ScalarType.Float32).contiguous().DetachFromDisposeScope();
    }

    public override Tensor Singulars { get; }

    public override Tensor ToRange(Tensor x) => x.reshape(x.shape[0], -1).matmul(_v);

    public override Tensor FromRange(Tensor coefficients) => coefficients.matmul(_v.t()).reshape(_a.Input.Batch(coefficients.shape[0]));

    public override Tensor ToMeasurement(Tensor y) => y.reshape(y.shape[0], -1).matmul(_u);
}
