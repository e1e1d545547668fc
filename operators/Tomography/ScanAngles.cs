using System.Globalization;
using Diffusion.Arrays;
using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Runtime;

namespace Diffusion.Operators;

/// <summary>Reads the angles of a scan.</summary>
internal static class ScanAngles
{
    /// <summary>In radians.</summary>
    /// <param name="spec">Their range or file.</param>
    /// <param name="count">How many projections there are; null: as many as the spec or its file says.</param>
    /// <param name="notes">Told how a file was understood; null: nobody.</param>
    /// <exception cref="OperatorSpecException">Neither a range nor a file of numbers, or of another number.</exception>
    public static IReadOnlyList<double> Of(Radon spec, int? count, List<string>? notes = null)
    {
        if (Range(spec.Theta) is not var (first, end))
            return FromFile(spec, count, notes);
        int angles = count ?? spec.Angles;
        int steps = spec.Endpoint ? Math.Max(1, angles - 1) : angles;
        return (first, end, spec.Endpoint) == (0, 180, false)
            ? [.. Enumerable.Range(0, angles).Select(i => Math.PI * i / angles)]
            : [.. Enumerable.Range(0, angles).Select(i => (first + (end - first) * i / steps) * Math.PI / 180)];
    }

    /// <summary>How many angles a file of angles has; null where the spec names a range.</summary>
    public static int? CountOf(Radon spec) => Range(spec.Theta) is null ? FromFile(spec, null, null).Count : null;

    private static (double First, double End)? Range(string theta)
    {
        int at = theta.IndexOf("..", StringComparison.Ordinal);
        return
            at > 0
            && double.TryParse(theta[..at], NumberStyles.Float, CultureInfo.InvariantCulture, out double first)
            && double.TryParse(theta[(at + 2)..], NumberStyles.Float, CultureInfo.InvariantCulture, out double end)
            && double.IsFinite(first)
            && double.IsFinite(end)
            && first != end
            ? (first, end)
            : null;
    }

    private static IReadOnlyList<double> FromFile(Radon spec, int? count, List<string>? notes)
    {
        if (!File.Exists(spec.Theta))
            throw new OperatorSpecException(
                $"The angles \"{spec.Theta}\" are neither a range nor a file",
                spec.ToString(),
                "Write theta=FIRST..END in degrees, or the name of a file with one number for each angle"
            );
        using DisposeScope scope = torch.NewDisposeScope();
        using NumericArray array = DataFile.Read(spec.Theta);
        if (array.Type.IsComplex() || array.Values.numel() == 0 || array.Values.shape.Count(size => size > 1) > 1)
            throw new OperatorSpecException(
                $"The angles are [{string.Join(", ", array.Values.shape)}]",
                spec.Theta,
                "Write one number for each angle"
            );
        double[] values = [.. array.Values.reshape(-1).to(ScalarType.Float64).contiguous().data<double>()];
        if (!values.All(double.IsFinite))
            throw new OperatorSpecException("The angles hold NaN or infinity", spec.Theta, "Write one number for each angle");
        if (count is { } wanted && wanted != values.Length)
            throw new OperatorSpecException(
                $"There are {values.Length} angles, but {wanted} projections",
                spec.Theta,
                "Give one angle for each projection"
            );
        // Nobody scans a few degrees in steps of a fraction of one.
        bool radians = values.Length > 3 && values.Max() - values.Min() is > 0.5 and <= 2 * Math.PI + 1e-6 && values.Any(v => v % 1 != 0);
        if (radians)
            notes?.Add("The angles are taken as radians, since they span less than seven; in degrees they would span a full turn at most");
        return radians ? values : [.. values.Select(v => v * Math.PI / 180)];
    }
}
