using Diffusion.Inverse;
using Diffusion.Runtime;

namespace Diffusion.Interactive;

/// <summary>An operator: what it does to a point and to white, and its singular values where it has them in closed form.</summary>
internal static class OperatorView
{
    private const int Bars = 200;

    /// <summary>The view of an operator.</summary>
    public static View Of(LinearOperator a)
    {
        using ComputeScope scope = new();
        List<string> pieces = [];
        string text =
            $"{a.Input.Channels}x{a.Input.Height}x{a.Input.Width} -> [{string.Join(",", a.Output.Dims)}], norm "
            + FormattableString.Invariant($"{Math.Sqrt(a.NormSquared):0.####}");
        if (a.Output.IsImage)
        {
            if (!a.Traits.Mask)
                pieces.Add(Html.Figure(EncodedTensor.Png(Stretched(a.Apply(Point(a)))), "a point"));
            pieces.Add(Html.Figure(EncodedTensor.Png(Stretched(a.Apply(torch.ones(a.Input.Batch(1))))), "white"));
        }
        if (a.Spectrum is { } spectrum)
            pieces.Add(Html.Figure(Singulars(spectrum), "singular values, largest first"));
        return new View(text) { Html = Html.Row(pieces) + $"<div>{Html.Encode(text)}</div>" };
    }

    private static Tensor Point(LinearOperator a)
    {
        Tensor point = torch.zeros(a.Input.Batch(1));
        point[0, .., a.Input.Height / 2, a.Input.Width / 2] = 1;
        return point;
    }

    // The middle of what is large: a point's picture is small.
    private static Tensor Stretched(Tensor y)
    {
        const int Side = 64;
        Tensor shown = EncodedTensor.PixelsOf(y / y.abs().max().clamp_min(1e-12));
        long height = Math.Min(Side, shown.shape[2]),
            width = Math.Min(Side, shown.shape[3]);
        return shown.narrow(2, (shown.shape[2] - height) / 2, height).narrow(3, (shown.shape[3] - width) / 2, width);
    }

    private static EncodedTensor Singulars(Spectrum spectrum)
    {
        Tensor sorted = spectrum.Singulars.flatten().to(ScalarType.Float64).sort(descending: true).Values.cpu();
        long step = Math.Max(1, sorted.shape[0] / Bars);
        double[] values = [.. sorted.slice(0, 0, sorted.shape[0], step).contiguous().data<double>()];
        ScottPlot.Plot plot = new();
        plot.Add.Scatter([.. values.Select((_, k) => (double)(k * step))], values);
        plot.YLabel("singular value");
        return new EncodedTensor(plot.GetImage(420, 260).GetImageBytes(), "image/png", 420, 260);
    }
}
