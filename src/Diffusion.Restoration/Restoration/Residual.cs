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

    /// <summary>What a user should know about it, or null.</summary>
    public static string? Hint(double whitened, double sigma, bool estimated)
    {
        const double TooLarge = 1.5, TooSmall = 0.5;
        if (sigma <= 0) return null;
        string level = FormattableString.Invariant($"the residual is {whitened:0.0#} times the noise level {sigma:0.####}");
        if (whitened > TooLarge) return $"The measurement does not fit: {level}. Check -A{(estimated ? "" : ", or pass a larger --noise")}.";
        if (whitened < TooSmall) return $"The noise level is probably smaller than given: {level}. Pass --noise auto, or a smaller one.";
        return null;
    }
}
