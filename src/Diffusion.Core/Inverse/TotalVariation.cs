using Diffusion.Runtime;

namespace Diffusion.Inverse;

/// <summary>
/// The picture of least total variation that explains a measurement: argmin |A x - y|^2 / 2 + lambda |grad x|_1, the classical restoration
/// of what is measured by too few coefficients (Rudin, Osher and Fatemi 1992; Lustig, Donoho and Pauly 2007).
/// </summary>
/// <remarks>
/// Primal-dual iterations (Chambolle and Pock 2011): p = p + grad x' / 8, cut to a length of lambda; x = argmin |A x - y|^2 + |x - (x -
/// grad^T p)|^2; x' = 2 x - the x before. Channels share their edges: the length of p is over channels and directions.
/// </remarks>
public static class TotalVariation
{
    /// <summary>Enough for the measure of a baseline: another hundred change photographs by less than 0.1 dB.</summary>
    public const int Iterations = 100;

    // On [-1,1], where solvers ask for it.
    private const double GuessLambda = 0.01;

    /// <summary>A start for solvers, whose noise nobody has said: of half the iterations, for little noise.</summary>
    /// <param name="a">The operator.</param>
    /// <param name="y">[N, Output]; borrowed.</param>
    /// <param name="request">What inner iterations may cost.</param>
    /// <returns>[N, Input]; the caller owns it.</returns>
    public static Tensor Guess(LinearOperator a, Tensor y, SolveRequest? request = null) =>
        Restore(a, y, GuessLambda, iterations: Iterations / 2, request: request);

    /// <summary>The picture.</summary>
    /// <param name="a">The operator.</param>
    /// <param name="y">[N, Output]; borrowed.</param>
    /// <param name="lambda">Greater than 0, in units of ||A||^2 and the picture's values.</param>
    /// <param name="start">[N, Input], where it begins; borrowed. null: a damped pseudo-inverse.</param>
    /// <param name="iterations">Iterations.</param>
    /// <param name="request">What inner iterations may cost.</param>
    /// <returns>[N, Input]; the caller owns it.</returns>
    public static Tensor Restore(
        LinearOperator a,
        Tensor y,
        double lambda,
        Tensor? start = null,
        int iterations = Iterations,
        SolveRequest? request = null
    )
    {
        using ComputeScope scope = new();
        const double DualStep = 1.0 / 8;
        double norm = a.NormSquared;
        SolveRequest inner = (request ?? new()) with { Start = null, Precision = request?.Precision ?? new SolvePrecision(1e-2) };
        Tensor x = start?.clone() ?? a.PseudoInverse(y, 1e-3 * norm, inner),
            ahead = x.clone(),
            down = torch.zeros_like(x),
            across = torch.zeros_like(x);
        for (int i = 0; i < iterations; i++)
        {
            using DisposeScope step = torch.NewDisposeScope();
            long rows = x.shape[2] - 1,
                columns = x.shape[3] - 1;
            down.narrow(2, 0, rows).add_(ahead.narrow(2, 1, rows) - ahead.narrow(2, 0, rows), DualStep);
            across.narrow(3, 0, columns).add_(ahead.narrow(3, 1, columns) - ahead.narrow(3, 0, columns), DualStep);
            Tensor beyond = ((down.square() + across.square()).sum(1, keepdim: true).sqrt() / lambda).clamp_min(1);
            down.div_(beyond);
            across.div_(beyond);
            Tensor moved = x.clone();
            moved.narrow(2, 0, rows).add_(down.narrow(2, 0, rows));
            moved.narrow(2, 1, rows).sub_(down.narrow(2, 0, rows));
            moved.narrow(3, 0, columns).add_(across.narrow(3, 0, columns));
            moved.narrow(3, 1, columns).sub_(across.narrow(3, 0, columns));
            Tensor next = moved - a.PseudoInverse(a.Apply(moved) - y, norm, inner);
            ahead.copy_(2 * next - x);
            x.copy_(next);
        }
        return scope.Return(x);
    }
}
