using Diffusion.Inverse;

namespace Diffusion.Restoration;

/// <summary>Compares what the restored picture would measure with what was measured.</summary>
internal static class Residual
{
    /// <summary>sqrt(mean((y - A x)^2)) / sigma for each picture; without noise, the root mean square itself.</summary>
    public static double[] Whitened(LinearOperator a, Tensor y, Tensor x, double sigma)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor difference = a.Restrict(y - a.Apply(x));
        Tensor sum = difference.square().reshape(y.shape[0], -1).sum(1) / a.MeasurementCount;
        return [.. sum.sqrt().cpu().data<float>().Select(rms => sigma > 0 ? rms / sigma : rms)];
    }

    /// <summary>What a user should know about it, or null. A small residual is no fault: where there are fewer values than pixels, a picture may fit the noise too.</summary>
    public static string? Hint(double whitened, double sigma, bool estimated)
    {
        const double TooLarge = 1.5;
        if (sigma <= 0 || whitened <= TooLarge) return null;
        return FormattableString.Invariant($"The measurement does not fit: the residual is {whitened:0.0#} times the noise level {sigma:0.####}. Check the operator{(estimated ? "" : ", or pass a larger --noise")}.");
    }
}
