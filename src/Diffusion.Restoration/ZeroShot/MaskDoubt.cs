using Diffusion.Inverse;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.ZeroShot;

/// <summary>Compares what an operator calls missing with what the measurement holds there.</summary>
internal static class MaskDoubt
{
    /// <summary>
    /// A word where what counts as known is nearly all of one colour while what counts as missing is not: half of the world's masks are
    /// white where a picture is to be filled in. null when there is nothing to say.
    /// </summary>
    /// <param name="a">The operator.</param>
    /// <param name="y">[1, Output]; borrowed.</param>
    /// <param name="sigma">Standard deviation of the noise.</param>
    public static string? Of(LinearOperator a, Tensor y, double sigma)
    {
        using ComputeScope scope = new();
        if (Missing(a, y.shape) is not { } missing)
            return null;
        const double OneColor = 0.98,
            ManyColors = 0.9;
        double tolerance = 3 * sigma + 4.0 / 255;
        return Sameness(y, missing.logical_not(), tolerance) > OneColor && Sameness(y, missing, tolerance) < ManyColors
            ? "What the mask calls known is nearly all of one colour, and what it calls missing is not: known and missing may have changed "
                + "places; write invert=true in the mask"
            : null;
    }

    /// <summary>Whether a measurement is transparent where, and nearly only where, the operator calls it missing.</summary>
    public static bool IsAlpha(LinearOperator a, Measurement measurement)
    {
        using ComputeScope scope = new();
        if (measurement.Alpha is not { } alpha || Missing(a, measurement.Y.shape) is not { } missing)
            return false;
        Tensor holes = alpha.lt(0.5),
            unseen = missing.cpu().all(1, keepdim: true);
        if (!holes.shape.SequenceEqual(unseen.shape))
            return false;
        long both = holes.logical_and(unseen).sum().item<long>();
        return both > 0 && both >= 0.98 * holes.logical_or(unseen).sum().item<long>();
    }

    // null where everything is measured, or the measurement is no picture.
    private static Tensor? Missing(LinearOperator a, long[] shape)
    {
        if (!a.Output.IsImage || a.MeasurementCount == a.Output.Count)
            return null;
        Tensor missing = a.Restrict(torch.ones(shape, device: a.Device)).lt(0.5);
        return missing.any().item<bool>() ? missing : null;
    }

    // The part of the chosen values that are near the middle one of their channel.
    private static double Sameness(Tensor y, Tensor chosen, double tolerance)
    {
        double near = 0,
            all = 0;
        for (long c = 0; c < y.shape[1]; c++)
        {
            Tensor values = y[0, c].masked_select(chosen[0, c]);
            if (values.numel() == 0)
                continue;
            near += (values - values.median()).abs().le(tolerance).sum().item<long>();
            all += values.numel();
        }
        return all > 0 ? near / all : 1;
    }
}
