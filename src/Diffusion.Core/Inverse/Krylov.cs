using Diffusion.Runtime;

namespace Diffusion.Inverse;

/// <summary>
/// Iterative linear algebra for operators without a closed form. Each picture of a batch converges on its own and is frozen then.
/// </summary>
public static class Krylov
{
    /// <summary>Solves (A^T A + rho I) x = b by preconditioned conjugate gradients (Hestenes and Stiefel 1952).</summary>
    /// <param name="a">The operator.</param>
    /// <param name="b">[N, Input].</param>
    /// <param name="rho">At least 0.</param>
    /// <param name="request">
    /// Start, report, and what ends the iteration of a picture: null or without a precision a relative residual of 1e-5, with a
    /// preconditioner 3e-5.
    /// </param>
    /// <param name="maxIterations">Most iterations.</param>
    /// <param name="precondition">An approximation of r -> (A^T A + rho I)^-1 r, symmetric and positive definite; null for none.</param>
    /// <exception cref="NumericalException">A number is not finite.</exception>
    public static Tensor ConjugateGradients(
        LinearOperator a,
        Tensor b,
        double rho,
        SolveRequest? request = null,
        int maxIterations = 200,
        Func<Tensor, Tensor>? precondition = null
    ) => ConjugateGradients(v => Normal(a, v, rho), b, request, maxIterations, precondition);

    /// <summary>Solves S x = b for a symmetric positive definite S.</summary>
    /// <param name="system">v -> S v.</param>
    /// <param name="b">[N, ...].</param>
    /// <param name="request">
    /// Start, report, and what ends the iteration of a picture: null or without a precision a relative residual of 1e-5, with a
    /// preconditioner 3e-5.
    /// </param>
    /// <param name="maxIterations">Most iterations.</param>
    /// <param name="precondition">An approximation of r -> S^-1 r, symmetric and positive definite; null for none.</param>
    /// <returns>The solution in the shape of b; the caller owns it.</returns>
    /// <exception cref="NumericalException">A number is not finite.</exception>
    public static Tensor ConjugateGradients(
        Func<Tensor, Tensor> system,
        Tensor b,
        SolveRequest? request = null,
        int maxIterations = 200,
        Func<Tensor, Tensor>? precondition = null
    )
    {
        (double tolerance, double error) = request?.Precision ?? new SolvePrecision(precondition is null ? 1e-5 : 3e-5);
        Tensor? start = request?.Start;
        if (precondition is null)
            error = 0;
        using var _ = torch.no_grad();
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor x = start is null ? torch.zeros_like(b) : start.clone();
        Tensor r = start is null ? b.clone() : b - system(x);
        Tensor p = precondition?.Invoke(r) ?? r.clone();
        Tensor whole = start is null ? p : precondition?.Invoke(b) ?? b;
        double values = b.NumberOfElements / b.shape[0];
        Tensor rz = Dot(r, p),
            scale = Dot(b, whole).clamp_min(1e-30),
            allowed = (scale * tolerance * tolerance).clamp_min(values * error * error);
        Tensor far = Largest(p),
            outlier = ((Dot(whole, whole) / values).clamp_min(1e-30).sqrt() * 5 * tolerance).clamp_min(10 * error);
        double residual = Relative(rz, scale),
            best = residual;
        int k = 0,
            sinceBest = 0;
        bool converged = false;
        // float32 ends where rounding in A^T A takes over: a residual that has not fallen for a while will not fall any more.
        const int Patience = 40;
        for (; ; k++)
        {
            using DisposeScope step = torch.NewDisposeScope();
            Tensor active = rz.gt(allowed).logical_or(far.gt(outlier)).to(b.dtype);
            converged = active.max().item<float>() == 0;
            if (converged || k == maxIterations || sinceBest == Patience)
                break;
            Tensor q = system(p);
            Tensor alpha = active * rz / Dot(p, q).clamp_min(1e-30);
            x.add_(alpha * p);
            r.sub_(alpha * q);
            Tensor z = precondition?.Invoke(r) ?? r;
            Tensor next = Dot(r, z);
            p.mul_(next / rz.clamp_min(1e-30)).add_(z);
            rz.copy_(next);
            far.copy_(Largest(z));
            residual = Relative(rz, scale);
            sinceBest = residual < 0.9 * best ? 0 : sinceBest + 1;
            best = Math.Min(best, residual);
        }
        if (!double.IsFinite(residual))
            throw Broken("Conjugate gradients");
        request?.Log?.Add(new SolveReport(k, residual, converged));
        return x.MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Minimises ||A x - y||^2 + eta ||x||^2 by LSQR (Paige and Saunders 1982), which gives A^T (A A^T + eta I)^-1 y; with eta = 0 the
    /// minimum-norm least-squares solution.
    /// </summary>
    /// <param name="a">The operator.</param>
    /// <param name="y">[N, Output].</param>
    /// <param name="eta">At least 0.</param>
    /// <param name="request">
    /// Report, and the relative residual of the normal equations, ||A^T r|| / ||A^T y||, that ends the iteration of a picture: null or
    /// without a precision 1e-6.
    /// </param>
    /// <param name="maxIterations">
    /// Most iterations. With eta = 0 and tiny singular values the iteration itself regularises: more is not always better.
    /// </param>
    /// <exception cref="NumericalException">A number is not finite.</exception>
    public static Tensor Lsqr(LinearOperator a, Tensor y, double eta, SolveRequest? request = null, int maxIterations = 200)
    {
        double tolerance = request?.Precision?.Relative ?? 1e-6;
        using var _ = torch.no_grad();
        using DisposeScope scope = torch.NewDisposeScope();
        (Tensor beta, Tensor u) = Normalise(y);
        (Tensor alpha, Tensor v) = Normalise(a.Adjoint(u));
        Tensor w = v.clone(),
            x = torch.zeros_like(v);
        Tensor phiBar = beta.clone(),
            rhoBar = alpha.clone(),
            gradient = alpha * beta,
            first = gradient.clamp_min(1e-30);
        double residual = 1;
        int k = 0;
        while (k < maxIterations && residual > tolerance)
        {
            using DisposeScope step = torch.NewDisposeScope();
            Tensor active = (gradient / first).gt(tolerance).to(x.dtype);
            (Tensor nextBeta, Tensor nextU) = Normalise(a.Apply(v) - Like(u, alpha) * u);
            (Tensor nextAlpha, Tensor nextV) = Normalise(a.Adjoint(nextU) - Like(v, nextBeta) * v);
            // Two plane rotations: the first removes the damping, the second the subdiagonal of the bidiagonal matrix.
            Tensor damped = (rhoBar.square() + eta).sqrt().clamp_min(1e-30);
            Tensor rho = (damped.square() + nextBeta.square()).sqrt().clamp_min(1e-30);
            Tensor c = damped / rho,
                s = nextBeta / rho,
                rotated = rhoBar / damped * phiBar;
            Tensor phi = c * rotated;
            x.add_(Like(x, active * phi / rho) * w);
            w.mul_(Like(w, -s * nextAlpha / rho)).add_(nextV);
            rhoBar.copy_(-c * nextAlpha);
            phiBar.copy_(s * rotated);
            gradient.copy_((nextAlpha * s * phi).abs());
            alpha.copy_(nextAlpha);
            u.copy_(nextU);
            v.copy_(nextV);
            residual = (gradient / first).max().item<float>();
            k++;
        }
        if (!double.IsFinite(residual))
            throw Broken("LSQR");
        request?.Log?.Add(new SolveReport(k, residual, residual <= tolerance));
        return x.MoveToOuterDisposeScope();
    }

    /// <summary>The largest eigenvalue of A^T A, to about 1 %.</summary>
    public static double PowerIteration(LinearOperator a, Device? device = null, int iterations = 60)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor v =
            torch.ones(a.Input.Batch(1), device: device)
            + 0.1 * torch.arange(a.Input.Count, device: device).reshape(a.Input.Batch(1)).sin();
        double norm = 0;
        for (int i = 0; i < iterations; i++)
        {
            using DisposeScope step = torch.NewDisposeScope();
            v.copy_(a.Adjoint(a.Apply(v / v.norm())));
            double next = v.norm().item<float>();
            if (next == 0 || Math.Abs(next - norm) <= 1e-4 * next)
                return next;
            norm = next;
        }
        return norm;
    }

    internal static Tensor Normal(LinearOperator a, Tensor v, double rho) =>
        rho == 0 ? a.Adjoint(a.Apply(v)) : a.Adjoint(a.Apply(v)) + rho * v;

    private static NumericalException Broken(string method) =>
        new(
            $"{method} met NaN or infinity",
            null,
            "Run `operators check`: the operator's adjoint may be wrong, or its input is not finite"
        );

    private static double Relative(Tensor squares, Tensor scale) => Math.Sqrt(Math.Max((squares / scale).max().item<float>(), 0));

    // One number per picture, in a shape that multiplies the pictures. Long sums of float32 are accumulated in double.
    private static Tensor Dot(Tensor u, Tensor v)
    {
        long n = u.shape[0];
        return Like(u, (u * v).reshape(n, -1).sum(1, type: ScalarType.Float64).to(u.dtype));
    }

    private static Tensor Largest(Tensor u) => Like(u, u.reshape(u.shape[0], -1).abs().amax([1L]));

    private static Tensor Like(Tensor shape, Tensor perPicture) =>
        perPicture.reshape([shape.shape[0], .. Enumerable.Repeat(1L, (int)shape.dim() - 1)]);

    private static (Tensor Norm, Tensor Unit) Normalise(Tensor v)
    {
        Tensor norm = Dot(v, v).sqrt();
        return (norm.reshape(v.shape[0]), v / norm.clamp_min(1e-30));
    }
}
