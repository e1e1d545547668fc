using Diffusion.Inverse;
using Diffusion.Runtime;

namespace Diffusion.Tests.Solvers;

/// <summary>
/// A small inverse problem whose picture is a sample of the Gaussian prior, with its exact posterior (dense, float64). Pictures on [-1,1].
/// </summary>
internal sealed class GaussianProblem : IDisposable
{
    public GaussianProblem(
        string operatorName,
        int batch = 2,
        int height = 12,
        int width = 10,
        double sigma = 0.1,
        int seed = 1,
        GaussianPrior? prior = null
    )
    {
        ImageShape shape = new(1, height, width);
        Prior = prior ?? new GaussianPrior(shape);
        A = TestOperators.Create(operatorName, shape);
        Keys = [.. Enumerable.Range(0, batch).Select(i => ImageKey.FromName($"{operatorName}-{i}"))];
        PhiloxNoise noise = new((ulong)seed, Keys);
        Truth = (Prior.Mean + Prior.Covariance(noise.Draw(NoiseRole.Start, shape.Batch(batch)), 0.5)).DetachFromDisposeScope();
        Tensor y = A.Apply(Truth) + sigma * noise.Draw(NoiseRole.Measurement, A.Output.Batch(batch));
        Problem = new InverseProblem(
            A.Restrict(A.Traits.Mask ? A.Apply(y) : y).DetachFromDisposeScope(),
            A,
            sigma,
            Range: PixelRange.Symmetric
        );
        (Mean, Std) = Posterior(sigma);
    }

    public GaussianPrior Prior { get; init; }
    public LinearOperator A { get; }
    public ImageKey[] Keys { get; }
    public InverseProblem Problem { get; }

    /// <summary>The picture that was measured.</summary>
    public Tensor Truth { get; }

    /// <summary>E[x | y].</summary>
    public Tensor Mean { get; }

    /// <summary>Root of the mean posterior variance: the error that even the best estimate makes.</summary>
    public double Std { get; }

    public PhiloxNoise Noise(ulong seed = 0) => new(seed, Keys);

    /// <summary>Root mean square of a - b.</summary>
    public static double Rms(Tensor a, Tensor b) => Math.Sqrt((a - b).square().mean().item<float>());

    // x | y ~ N(mu + C A^T (A C A^T + sigma^2 I)^-1 (y - A mu), C - C A^T (A C A^T + sigma^2 I)^-1 A C).
    private (Tensor Mean, double Std) Posterior(double sigma)
    {
        long d = A.Input.Count,
            n = Problem.Batch,
            m = A.Output.Count;
        Tensor identity = torch.eye(d).reshape(A.Input.Batch(d));
        Tensor c = Prior.Covariance(identity).reshape(d, d).to(ScalarType.Float64);
        Tensor a = A.Apply(identity).reshape(d, m).t().to(ScalarType.Float64);
        Tensor y = Problem.Y.reshape(n, m).t().to(ScalarType.Float64);
        Tensor gain = torch
            .linalg.solve(a.matmul(c).matmul(a.t()) + sigma * sigma * torch.eye(m, dtype: ScalarType.Float64), a.matmul(c))
            .t();
        Tensor mu = torch.full([d, 1], Prior.Mean, dtype: ScalarType.Float64);
        Tensor mean = mu + gain.matmul(y - a.matmul(mu));
        double variance = ((c - gain.matmul(a).matmul(c)).diagonal().mean()).item<double>();
        return (mean.t().to(ScalarType.Float32).reshape(A.Input.Batch(n)).contiguous().DetachFromDisposeScope(), Math.Sqrt(variance));
    }

    public void Dispose()
    {
        Prior.Dispose();
        A.Dispose();
        Problem.Y.Dispose();
        Truth.Dispose();
        Mean.Dispose();
    }
}
