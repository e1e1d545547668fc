using Diffusion.Inverse;

namespace Diffusion.Solvers;

/// <summary>The end of a restoration from values that are unequally noisy.</summary>
/// <remarks>
/// A solver's last estimate is the prior's for noise of the mean level: where values are surer than that, it has smoothed away what they
/// know. What they know beyond the mean, the weights (1 / r^2 - 1)+, is given back by one more proximal step, argmin |W^(1/2) (y - A x)|^2
/// + rho |x - x0|^2 with rho = sigma^2 / e^2, where e is the error of x0 as the surest values see it. Equal noise leaves no such weights.
/// </remarks>
internal static class SureValues
{
    // What counts as sure in e: half of the mean's standard deviation or less.
    private const double Sure = 4;

    /// <summary>The result of a run, with what sure values know.</summary>
    /// <param name="run">The run.</param>
    /// <param name="x">Its last estimate, [1,C,H,W]; borrowed.</param>
    /// <returns><paramref name="x"/> itself where no value is sure, else a new tensor of the scope that is open.</returns>
    public static Tensor GiveBack(SolverRun run, Tensor x)
    {
        if (run.SigmaY == 0 || run.A is not WhitenedOperator { Reach: > Sure } whitened)
            return x;
        Tensor weights = whitened.Restrict(whitened.Weights.square()),
            sure = weights.gt(Sure).to(x.dtype),
            residual = (whitened.Apply(x) - run.Y) / whitened.Weights,
            expected = (run.SigmaY / whitened.Weights).square();
        double count = sure.sum().item<float>(),
            error = ((residual.square() - expected) * sure).sum().item<float>() / count;
        if (error <= 0)
            return x;
        Tensor beyond = (weights - 1).clamp_min(0).sqrt();
        using WhitenedOperator known = new(whitened.Inner, beyond.reciprocal());
        return DataStep.Proximal(known, whitened.Measured(run.Y) * beyond, x, run.SigmaY * run.SigmaY / error, run.Request);
    }
}
