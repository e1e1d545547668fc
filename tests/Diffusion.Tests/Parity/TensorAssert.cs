namespace Diffusion.Tests.Parity;

/// <summary>Comparisons of tensors that say where the worst difference is.</summary>
internal static class TensorAssert
{
    /// <summary>
    /// Equal shapes, nothing but finite numbers, and |actual - expected| at most atol + rtol |expected| everywhere. Integers and truth
    /// values must be equal.
    /// </summary>
    public static void Close(string name, Tensor expected, Tensor actual, double atol, double rtol)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Assert.True(
            expected.shape.SequenceEqual(actual.shape),
            $"{name} has shape [{string.Join(",", actual.shape)}] instead of [{string.Join(",", expected.shape)}]."
        );
        if (expected.numel() == 0)
            return;
        if (!expected.is_floating_point())
            (atol, rtol) = (0, 0);
        Tensor e = expected.cpu().to(ScalarType.Float64).flatten(),
            a = actual.detach().cpu().to(ScalarType.Float64).flatten();
        Assert.True(a.isfinite().all().item<bool>(), $"{name} holds NaN or infinity.");
        Tensor difference = (a - e).abs(),
            bound = e.abs() * rtol + atol;
        if (difference.le(bound).all().item<bool>())
            return;
        long worst = (difference - bound).argmax().item<long>();
        long wrong = difference.gt(bound).sum().item<long>();
        Assert.Fail(
            $"{name}: {wrong} of {e.numel()} elements are off; the worst, [{string.Join(",", Unravel(worst, expected.shape))}], is "
                + $"{a[worst].item<double>():G9} instead of {e[worst].item<double>():G9} "
                + $"(difference {difference[worst].item<double>():G3}, allowed {bound[worst].item<double>():G3}; atol {atol:G3}, "
                + $"rtol {rtol:G3})."
        );
    }

    private static long[] Unravel(long index, long[] shape)
    {
        long[] position = new long[shape.Length];
        for (int d = shape.Length - 1; d >= 0; d--)
            (index, position[d]) = Math.DivRem(index, shape[d]);
        return position;
    }
}
