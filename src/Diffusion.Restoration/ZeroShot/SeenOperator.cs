using System.Security.Cryptography;
using Diffusion.Inverse;
using Diffusion.Operators;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.ZeroShot;

/// <summary>An operator without the values that a measurement lacks.</summary>
internal static class SeenOperator
{
    /// <summary>Tells measurements apart that lack other values; empty where nothing is missing.</summary>
    public static string KindOf(Measurement measurement)
    {
        if (measurement.Known is null)
            return "";
        using Tensor known = measurement.Known.cpu().contiguous();
        return Convert.ToHexStringLower(SHA256.HashData(known.bytes));
    }

    /// <summary>
    /// The operator of what is measured: <paramref name="a"/> where it measures nothing that is missing, else a mask behind it. It is
    /// taken over.
    /// </summary>
    /// <exception cref="OperatorSpecException">Nothing is left, or values are missing of a measurement that is no picture.</exception>
    public static LinearOperator Of(LinearOperator a, OperatorSpec spec, Measurement measurement)
    {
        using ComputeScope scope = new();
        LinearOperator seen = a;
        try
        {
            if (measurement.Known is { } known)
                seen = Behind(a, known.to(a.Device), spec, measurement.Name);
            return seen.MeasurementCount > 0
                ? seen
                : throw new OperatorSpecException(
                    $"Nothing is known in the measurement \"{measurement.Name}\"",
                    spec.ToString(),
                    "Check the mask (invert=true swaps known and missing), and the measurement for NaN"
                );
        }
        catch
        {
            seen.Dispose();
            throw;
        }
    }

    private static LinearOperator Behind(LinearOperator a, Tensor known, OperatorSpec spec, string name)
    {
        Tensor measured = a.Restrict(torch.ones(known.shape, device: a.Device)).gt(0.5),
            left = measured.logical_and(known);
        if (left.eq(measured).all().item<bool>())
            return a;
        if (!a.Output.IsImage)
            throw new OperatorSpecException(
                $"The measurement \"{name}\" is no picture and holds NaN or infinity",
                spec.ToString(),
                "Replace such values"
            );
        LinearOperator mask = Mask.Of(a.Output.Image, left.squeeze(0));
        if (!a.Traits.Mask && spec is not Identity)
            return ComposedOperator.Of(a, mask);
        a.Dispose();
        return mask;
    }
}
