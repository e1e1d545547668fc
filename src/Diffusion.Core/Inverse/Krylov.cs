namespace Diffusion.Inverse;

/// <summary>Iterative linear algebra for operators without a closed form. Each picture of a batch converges on its own.</summary>
public static class Krylov
{
    /// <summary>A solution, the iterations it took and the largest relative residual of the batch.</summary>
    public readonly record struct Result(Tensor Solution, int Iterations, double Residual);

    /// <summary>Solves (A^T A + rho I) x = b by conjugate gradients.</summary>
    public static Result ConjugateGradients(LinearOperator a, Tensor b, double rho, Tensor? start = null, double tolerance = 1e-6, int maxIterations = 200)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor Normal(Tensor v) => a.Adjoint(a.Apply(v)) + rho * v;
        long[] rest = [.. Enumerable.Range(1, (int)b.dim() - 1).Select(d => (long)d)];
        Tensor Dot(Tensor u, Tensor v) => (u * v).sum(rest, keepdim: true);
        Tensor x = start is null ? torch.zeros_like(b) : start.clone();
        Tensor r = start is null ? b.clone() : b - Normal(x);
        Tensor p = r.clone();
        Tensor rr = Dot(r, r), bb = Dot(b, b).clamp_min(1e-30);
        double residual = 1;
        int k = 0;
        for (; k < maxIterations; k++)
        {
            residual = Math.Sqrt((rr / bb).max().item<float>());
            if (residual <= tolerance) break;
            Tensor q = Normal(p);
            Tensor alpha = rr / Dot(p, q).clamp_min(1e-30);
            x = x + alpha * p;
            r = r - alpha * q;
            Tensor next = Dot(r, r);
            p = r + next / rr.clamp_min(1e-30) * p;
            rr = next;
        }
        return new Result(x.MoveToOuterDisposeScope(), k, residual);
    }

    /// <summary>A^T (A A^T + eta I)^-1 y.</summary>
    public static Result Lsqr(LinearOperator a, Tensor y, double eta, double tolerance = 1e-6, int maxIterations = 200)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor b = a.Adjoint(y);
        Result result = ConjugateGradients(a, b, eta, null, tolerance, maxIterations);
        return result with { Solution = result.Solution.MoveToOuterDisposeScope() };
    }

    /// <summary>The largest eigenvalue of A^T A.</summary>
    public static double PowerIteration(LinearOperator a, int iterations = 30)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor v = torch.ones(a.Input.Batch(1)) + 0.1 * torch.arange(a.Input.Count).reshape(a.Input.Batch(1)).sin();
        double norm = 1;
        for (int i = 0; i < iterations; i++)
        {
            v = v / v.norm();
            v = a.Adjoint(a.Apply(v));
            norm = v.norm().item<float>();
        }
        return norm;
    }
}
