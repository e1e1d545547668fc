using System.Globalization;
using Diffusion.Arrays;
using Diffusion.Inverse;
using Diffusion.Runtime;

namespace Diffusion.Operators;

/// <summary>A user's own sinogram, [angles, detector].</summary>
/// <remarks>
/// Two properties of parallel projections tell conventions: the sum along the detector is the picture's at every angle, and the centre of
/// mass is c + a cos + b sin, c being where the axis of rotation falls on the detector (Helgason and Ludwig).
/// </remarks>
internal sealed class Sinogram
{
    private readonly List<string> _notes = [];

    private Sinogram(Tensor values) => Values = values;

    /// <summary>[angles, detector] float64.</summary>
    public Tensor Values { get; }

    /// <summary>In radians.</summary>
    public IReadOnlyList<double> Angles { get; private set; } = [];

    public int Detector => (int)Values.shape[1];

    public IReadOnlyList<string> Notes => _notes;

    /// <summary>Reads an array. Call within a dispose scope, which owns everything.</summary>
    /// <exception cref="OperatorSpecException">It is no sinogram, or the angles don't fit it.</exception>
    public static Sinogram Read(Radon spec, NumericArray array, string where)
    {
        Tensor values = Plane(spec, array, where);
        if (!values.isfinite().all().item<bool>())
            throw new OperatorSpecException("The sinogram holds NaN or infinity", where, "Replace such values");
        if (!values.ne(0).any().item<bool>())
            throw new OperatorSpecException("The sinogram is zero", where, "Give the measured line integrals");
        bool transposed = IsTransposed(spec, values, where, out string? note);
        Sinogram sinogram = new((transposed ? values.t() : values).contiguous());
        if (note is not null)
            sinogram._notes.Add(note);
        sinogram.Angles = ScanAngles.Of(spec, (int)sinogram.Values.shape[0], sinogram._notes);
        sinogram.CheckEnd(spec);
        return sinogram;
    }

    /// <summary>
    /// Whether the axis lies on the pixel n / 2 instead of the middle (n - 1) / 2; adds a note on an axis that lies elsewhere.
    /// </summary>
    /// <param name="spec">What is said of the axis.</param>
    /// <param name="picture">Where pixels of even sides lie beside the axis of an odd detector, or on it.</param>
    /// <param name="notes">Told.</param>
    public bool IsOnPixel(Radon spec, ImageShape picture, List<string> notes)
    {
        bool onPixel = spec.Axis == RadonAxis.Pixel;
        if (spec.Center is not null || AxisOfMass() is not { } found)
            return onPixel;
        double middle = (Detector - 1) / 2.0,
            pixel = Detector / 2;
        if (
            spec.Axis == RadonAxis.Auto
            && Math.Abs(found - pixel) < 0.2
            && (pixel != middle || picture is { Height: var h, Width: var w } && (h % 2 == 0 || w % 2 == 0))
        )
        {
            notes.Add("The axis of rotation is taken to lie on the pixel n / 2, as scikit-image has it (axis=middle takes (n - 1) / 2)");
            onPixel = true;
        }
        if (Math.Abs(found - (onPixel ? pixel : middle)) > 0.5)
            notes.Add(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The projections turn about {found:0.##} on the detector, not about {(onPixel ? pixel : middle):0.##}: "
                        + $"center={found:0.##} takes that as the axis"
                )
            );
        return onPixel;
    }

    private static Tensor Plane(Radon spec, NumericArray array, string where)
    {
        Tensor values = array.Values;
        if (array.Type.IsComplex())
            throw new OperatorSpecException("The sinogram is complex", where, "Line integrals are real: give them, or choose fourier");
        while (values.dim() > 2 && values.shape[0] == 1)
            values = values[0];
        while (values.dim() > 2 && values.shape[^1] == 1)
            values = values.squeeze(-1);
        if (values.dim() == 3 && spec.Page is { } page)
            return page <= values.shape[0]
                ? values[page - 1].to(ScalarType.Float64)
                : throw new OperatorSpecException($"There is no page {page}", where, $"The file has pages 1 to {values.shape[0]}");
        if (values.dim() != 2 || values.shape.Min() < 2)
            throw new OperatorSpecException(
                $"A sinogram has angles and rays, but this is [{string.Join(", ", array.Values.shape)}]",
                where,
                values.dim() == 3 ? $"Choose one with page=1 to page={values.shape[0]}" : "Give [angles, detector]"
            );
        return values.to(ScalarType.Float64);
    }

    private static bool IsTransposed(Radon spec, Tensor values, string where, out string? note)
    {
        note = null;
        if (spec.Transposed is { } said)
            return said;
        (long rows, long columns) = (values.shape[0], values.shape[1]);
        // Angles along the rows: sums of rows are all alike.
        double asRows = Scatter(values.sum(1)),
            asColumns = Scatter(values.sum([0L]));
        bool transposed = asColumns < asRows;
        bool clear = Math.Max(asRows, asColumns) > 2 * Math.Min(asRows, asColumns);
        int? count = ScanAngles.CountOf(spec) ?? (spec.Angles == rows || spec.Angles == columns ? spec.Angles : null);
        if (count is { } n && (n == rows) != (n == columns))
        {
            bool fits = n == columns;
            if (clear && fits != transposed && ScanAngles.CountOf(spec) is not null)
                throw new OperatorSpecException(
                    $"The {n} angles fit the {(fits ? "columns" : "rows")} of the sinogram, but the sums of its "
                        + $"{(fits ? "rows" : "columns")} are alike, as those of projections are",
                    where,
                    "Check the angles, or say transposed=true or transposed=false"
                );
            transposed = clear ? transposed : fits;
        }
        else if (!clear)
            transposed = false;
        if (transposed)
            note =
                $"The sinogram is taken as [detector, angles] = [{rows}, {columns}], as scikit-image has it (transposed=false swaps them)";
        else if (rows == columns || !clear)
            note = $"The sinogram is taken as [angles, detector] = [{rows}, {columns}] (transposed=true swaps them)";
        return transposed;
    }

    // Relative to the mean of the magnitudes, of its slow changes and noise.
    private static double Scatter(Tensor sums) => sums.std().item<double>() / Math.Max(sums.abs().mean().item<double>(), 1e-30);

    // Null where too little is known: mass that leaves the detector, or few angles.
    private double? AxisOfMass()
    {
        Tensor mass = Values.sum(1);
        if (Angles.Count < 8 || Scatter(mass) > 0.05 || mass.mean().item<double>() <= 0)
            return null;
        Tensor center = (Values * torch.arange(Detector, dtype: ScalarType.Float64)).sum(1) / mass,
            angles = torch.tensor(Angles.ToArray()),
            model = torch.stack([torch.ones_like(angles), angles.cos(), angles.sin()], 1);
        Tensor fit = torch.linalg.lstsq(model, center.unsqueeze(1)).Solution,
            rest = (model.matmul(fit).squeeze(1) - center).abs().mean();
        double found = fit[0, 0].item<double>();
        return rest.item<double>() < 0.5 && found > 0 && found < Detector - 1 ? found : null;
    }

    // A last projection that is the first one's mirror picture was taken half a turn later.
    private void CheckEnd(Radon spec)
    {
        if (Angles.Count < 8 || Math.Abs(Math.Abs(Angles[^1] - Angles[0]) - Math.PI) > 2 * Math.PI / Angles.Count || spec.Endpoint)
            return;
        Tensor first = Values[0],
            last = Values[Angles.Count - 1].flip(0);
        double Apart(Tensor a, Tensor b) => (a - b).square().sum().item<double>();
        // The axis on the pixel n / 2 moves the mirror picture by one.
        double mirrored = Math.Min(Apart(first, last), Apart(first, last.roll(1))),
            step = Apart(first, Values[1]);
        if (mirrored < 0.3 * step && Math.Abs(Angles[^1] - Angles[0]) < Math.PI - 1e-6)
            _notes.Add(
                "The last projection mirrors the first one, as if half a turn were measured with its end: endpoint=true takes it so"
            );
    }
}
