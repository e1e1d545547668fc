using Diffusion.Imaging;
using Diffusion.Inverse;

namespace Diffusion.Restoration;

/// <summary>
/// Where the pixels of a measurement lie in the picture. The operator says it itself: it measures pictures of coordinates.
/// </summary>
internal static class MeasuredGrid
{
    /// <summary>The pixels of the measurement on those of the picture; null where they lie on no grid, or nothing is a picture.</summary>
    /// <param name="a">The operator.</param>
    public static PixelGrid? Of(LinearOperator a)
    {
        if (!a.Output.IsImage)
            return null;
        using IDisposable noGrad = torch.no_grad();
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor weights = a.Apply(torch.ones(a.Input.Batch(1), device: a.Device))[0, 0].cpu().to(ScalarType.Float64);
        return Along(a, weights, 1) is { } across && Along(a, weights, 0) is { } down ? new(across, down) : null;
    }

    private static PixelAxis? Along(LinearOperator a, Tensor weights, int axis)
    {
        long[] place = [1, 1, 1, 1];
        place[axis + 2] = -1;
        long length = axis == 1 ? a.Input.Width : a.Input.Height;
        Tensor ramp = torch.arange(length, dtype: ScalarType.Float32, device: a.Device).reshape(place).expand(a.Input.Batch(1));
        Tensor seen = a.Apply(ramp.contiguous())[0, 0].cpu().to(ScalarType.Float64);
        // Away from the edges, which may see the other side, and where anything is measured.
        (long rows, long columns) = (seen.shape[0], seen.shape[1]);
        Tensor Inside(Tensor whole) => whole.narrow(0, rows / 4, rows - 2 * (rows / 4)).narrow(1, columns / 4, columns - 2 * (columns / 4));
        long[] line = axis == 1 ? [1, -1] : [-1, 1];
        Tensor index = torch.arange(seen.shape[axis], dtype: ScalarType.Float64).reshape(line).expand_as(seen);
        Tensor weight = Inside(weights);
        Tensor measured = weight.abs().gt(0.5 * weight.abs().max());
        Tensor values = (Inside(seen) / weight).masked_select(measured),
            places = Inside(index).masked_select(measured);
        if (values.numel() < 2 || places.min().item<double>() == places.max().item<double>())
            return null;
        // A line through them.
        Tensor from = places - places.mean();
        double factor = (from * values).sum().item<double>() / from.square().sum().item<double>(),
            offset = values.mean().item<double>() - factor * places.mean().item<double>();
        const double Tolerance = 0.05;
        const int Digits = 3;
        return factor > 0 && (values - (factor * places + offset)).abs().max().item<double>() < Tolerance * Math.Max(1, factor)
            ? new(Math.Round(factor, Digits), Math.Round(offset, Digits))
            : null;
    }
}
