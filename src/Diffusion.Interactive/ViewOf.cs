using System.Collections;
using System.Globalization;
using System.Reflection;
using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Interactive;

/// <summary>How things look in a notebook. Values are borrowed.</summary>
public static class ViewOf
{
    /// <summary>A value of any type: those of this library as what they are, other things as text.</summary>
    /// <param name="value">A <see cref="View"/>, picture, restoration, operator, trajectory, plot; or anything else.</param>
    /// <param name="caption">Stands below it; null: nothing.</param>
    public static View Value(object value, string? caption = null) =>
        value switch
        {
            View view => view,
            IShow shown => shown.Show(),
            Picture picture => Picture(picture, caption),
            RestoredPicture restored => Restored(restored, caption),
            DegradedPicture degraded => degraded.Measurement.Shape is not null
                ? Picture(degraded.Measurement.Y, caption)
                : new View($"{degraded.Measurement.Name}: a measurement [{string.Join(",", degraded.Measurement.Y.shape)}]"),
            LinearOperator a => OperatorView.Of(a),
            OperatorSpec spec => new View(spec.ToString()),
            ScottPlot.Plot plot => Plot(plot, caption),
            Tensor tensor when IsPicture(tensor) => Picture(tensor, caption),
            Tensor tensor => new View($"{tensor.dtype} [{string.Join(",", tensor.shape)}]"),
            string text => new View(text),
            IFormattable number => new View(number.ToString(null, CultureInfo.InvariantCulture)),
            IEnumerable many => new View(Listed(many)),
            _ => new View(value.ToString() ?? ""),
        };

    /// <summary>A picture.</summary>
    /// <param name="picture">A <see cref="Imaging.Picture"/>, or a tensor [C,H,W] or [1,C,H,W] on [0,1].</param>
    /// <param name="caption">Stands below it; null: nothing.</param>
    /// <exception cref="ArgumentException">It is neither.</exception>
    public static View Picture(object picture, string? caption = null)
    {
        using ComputeScope scope = new();
        Tensor pixels = EncodedTensor.PixelsOf(picture);
        return new View($"{caption ?? "picture"}, {pixels.shape[3]}x{pixels.shape[2]}")
        {
            Html = Html.Figure(EncodedTensor.Web(pixels), caption),
            Png = EncodedTensor.Png(pixels).File,
        };
    }

    /// <summary>Pictures side by side.</summary>
    /// <param name="pictures">
    /// Captions and pictures, each a <see cref="Imaging.Picture"/> or a tensor [C,H,W] or [1,C,H,W] on [0,1].
    /// </param>
    /// <exception cref="ArgumentException">One is neither.</exception>
    public static View Row(params (string Caption, object Picture)[] pictures)
    {
        using ComputeScope scope = new();
        (string Caption, Tensor Pixels)[] row = [.. pictures.Select(one => (one.Caption, EncodedTensor.PixelsOf(one.Picture)))];
        Tensor sheet = Sheet.Draw([.. row.Select(one => new SheetPanel(one.Caption, one.Pixels))]);
        return new View(string.Join(" | ", row.Select(one => one.Caption)))
        {
            Html = Html.Row(row.Select(one => Html.Figure(EncodedTensor.Web(one.Pixels), one.Caption))),
            Png = EncodedTensor.Png(sheet).File,
        };
    }

    /// <summary>Two pictures with a divider to pull across.</summary>
    /// <param name="before">
    /// A <see cref="Imaging.Picture"/>, or a tensor [C,H,W] or [1,C,H,W] on [0,1]; enlarged where it is smaller.
    /// </param>
    /// <param name="after">Likewise; decides the size.</param>
    /// <param name="captions">What stands at the left and at the right.</param>
    /// <exception cref="ArgumentException">One is neither.</exception>
    public static View Comparison(object before, object after, (string Before, string After) captions)
    {
        using ComputeScope scope = new();
        Tensor right = EncodedTensor.PixelsOf(after),
            left = EncodedTensor.PixelsOf(before);
        if (left.shape[2] != right.shape[2] || left.shape[3] != right.shape[3])
            left = Resize.ToSize(left, (int)right.shape[2], (int)right.shape[3]).clamp(0, 1);
        Tensor sheet = Sheet.Draw([new SheetPanel(captions.Before, left), new SheetPanel(captions.After, right)]);
        return new View($"{captions.Before} | {captions.After}")
        {
            Html = Html.Slider(EncodedTensor.Web(left), EncodedTensor.Web(right), captions.Before, captions.After),
            Png = EncodedTensor.Png(sheet).File,
        };
    }

    /// <summary>A restoration: its picture, and its samples with the map of their spread where there are some.</summary>
    public static View Restored(RestoredPicture restored, string? caption = null)
    {
        string what = caption
            ?? FormattableString.Invariant($"{restored.Solver}, {restored.Evaluations} evaluations, {restored.Seconds:0.0} s");
        if (restored.Spread is not { } spread)
            return Picture(restored, what);
        using ComputeScope scope = new();
        Tensor deviation = spread.Deviation.mean([1L], keepdim: true);
        double largest = deviation.max().item<float>();
        return Row([
            (what, restored.Picture),
            .. restored.Samples.Take(3).Select((sample, k) => ($"sample {k + 1}", (object)sample)),
            ("mean", spread.Mean),
            (FormattableString.Invariant($"spread, white is {largest:0.000}"), deviation / Math.Max(largest, 1e-9)),
        ]);
    }

    /// <summary>A plot of ScottPlot.</summary>
    /// <param name="plot">Borrowed.</param>
    /// <param name="caption">Stands below it; null: nothing.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    public static View Plot(ScottPlot.Plot plot, string? caption = null, int width = 640, int height = 360)
    {
        ArgumentNullException.ThrowIfNull(plot);
        byte[] png = plot.GetImage(width, height).GetImageBytes();
        return new View(caption ?? "plot") { Html = Html.Figure(new EncodedTensor(png, "image/png", width, height), caption), Png = png };
    }

    /// <summary>A table with a column for each property of the rows.</summary>
    /// <typeparam name="T">A record or an anonymous type.</typeparam>
    public static View Table<T>(IEnumerable<T> rows)
    {
        PropertyInfo[] columns =
        [
            .. typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.GetIndexParameters().Length == 0),
        ];
        string[] names = [.. columns.Select(column => column.Name)];
        string[][] cells = [.. rows.Select(row => (string[])[.. columns.Select(column => Cell(column.GetValue(row)))])];
        int[] widths = [.. names.Select((name, c) => cells.Select(row => row[c].Length).Append(name.Length).Max())];
        string Line(string[] row) => string.Join("  ", row.Select((cell, c) => cell.PadRight(widths[c]))).TrimEnd();
        return new View(string.Join('\n', cells.Select(Line).Prepend(Line(names)))) { Html = Html.Table(names, cells) };
    }

    private static bool IsPicture(Tensor tensor) =>
        tensor.is_floating_point() && tensor.shape is [1 or 3, _, _] or [1, 1 or 3, _, _] && tensor.shape[^1] > 3 && tensor.shape[^2] > 3;

    private static string Cell(object? value) =>
        value switch
        {
            null => "",
            double number => number.ToString(Math.Abs(number) >= 1 ? "0.00" : "0.0000", CultureInfo.InvariantCulture),
            float number => Cell((double)number),
            IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
            _ => value.ToString() ?? "",
        };

    private static string Listed(IEnumerable many)
    {
        const int Most = 20;
        string[] first = [.. many.Cast<object?>().Take(Most + 1).Select(Cell)];
        return $"[{string.Join(", ", first.Take(Most))}{(first.Length > Most ? ", ..." : "")}]";
    }
}
