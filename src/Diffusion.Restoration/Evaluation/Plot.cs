using System.Globalization;
using System.Net;
using System.Text;

namespace Diffusion.Evaluation;

/// <summary>A line of a plot.</summary>
/// <param name="Name">For the legend.</param>
/// <param name="Points">Joined in this order; each with the text that pointing at it shows.</param>
internal sealed record PlotSeries(string Name, IReadOnlyList<(double X, double Y, string Text)> Points);

/// <summary>
/// Draws points and lines over two axes as SVG. Colours of axes and text are left to the page (classes <c>axis</c>, <c>grid</c>,
/// <c>text</c>).
/// </summary>
internal sealed class Plot
{
    private const double Width = 640,
        Height = 340,
        Left = 52,
        Right = 190,
        Top = 14,
        Bottom = 44,
        LegendStep = 18;
    private const int Ticks = 6,
        LongestName = 24;

    // Okabe and Ito's palette, which colour-blind people can tell apart; its black and yellow are left out, they vanish on one background
    // or the other.
    private static readonly string[] Colors = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"];

    private readonly Axis _x,
        _y;

    private Plot(Axis x, Axis y) => (_x, _y) = (x, y);

    /// <summary>Draws.</summary>
    /// <param name="series">The lines.</param>
    /// <param name="xName">Under the horizontal axis.</param>
    /// <param name="yName">Beside the vertical axis.</param>
    /// <param name="logarithmic">Whether the horizontal axis is.</param>
    /// <param name="rule">A value across the plot and its name.</param>
    /// <returns>An svg element; empty when there is nothing to draw.</returns>
    public static string Draw(
        IReadOnlyList<PlotSeries> series,
        string xName,
        string yName,
        bool logarithmic = false,
        (double Y, string Name)? rule = null
    )
    {
        var points = series.SelectMany(line => line.Points).ToArray();
        if (points.Length == 0)
            return "";
        IEnumerable<double> heights = points.Select(point => point.Y).Concat(rule is { } across ? [across.Y] : []);
        return new Plot(Axis.Over(points.Select(point => point.X), logarithmic), Axis.Over(heights, false)).Svg(series, xName, yName, rule);
    }

    private string Svg(IReadOnlyList<PlotSeries> series, string xName, string yName, (double Y, string Name)? rule)
    {
        StringBuilder svg = new();
        svg.Append(
            CultureInfo.InvariantCulture,
            $"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{Encode(yName)} over {Encode(xName)}\">"
        );
        foreach (double tick in _x.TickValues)
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<line class=\"grid\" x1=\"{X(tick):0.#}\" y1=\"{Top}\" x2=\"{X(tick):0.#}\" y2=\"{Height - Bottom}\"/><text "
                    + $"class=\"text\" x=\"{X(tick):0.#}\" y=\"{Height - Bottom + 16}\" text-anchor=\"middle\">{_x.Text(tick)}</text>"
            );
        foreach (double tick in _y.TickValues)
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<line class=\"grid\" x1=\"{Left}\" y1=\"{Y(tick):0.#}\" x2=\"{Width - Right}\" y2=\"{Y(tick):0.#}\"/><text "
                    + $"class=\"text\" x=\"{Left - 6}\" y=\"{Y(tick) + 4:0.#}\" text-anchor=\"end\">{_y.Text(tick)}</text>"
            );
        svg.Append(CultureInfo.InvariantCulture, $"<path class=\"axis\" d=\"M{Left} {Top}V{Height - Bottom}H{Width - Right}\"/>");
        svg.Append(
            CultureInfo.InvariantCulture,
            $"<text class=\"text\" x=\"{(Left + Width - Right) / 2}\" y=\"{Height - 8}\" "
                + $"text-anchor=\"middle\">{Encode(xName)}</text><text class=\"text\" transform=\"translate(13 "
                + $"{(Top + Height - Bottom) / 2}) rotate(-90)\" text-anchor=\"middle\">{Encode(yName)}</text>"
        );
        if (rule is { } across)
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<line class=\"rule\" x1=\"{Left}\" y1=\"{Y(across.Y):0.#}\" x2=\"{Width - Right}\" "
                    + $"y2=\"{Y(across.Y):0.#}\"/><text class=\"text\" x=\"{Left + 6}\" "
                    + $"y=\"{Y(across.Y) - 5:0.#}\">{Encode(across.Name)}</text>"
            );
        for (int i = 0; i < series.Count; i++)
            Line(svg, series[i], i);
        return svg.Append("</svg>").ToString();
    }

    private void Line(StringBuilder svg, PlotSeries line, int index)
    {
        string color = Colors[index % Colors.Length],
            dash = index / Colors.Length == 0 ? "" : " stroke-dasharray=\"5 3\"";
        string path = string.Join(' ', line.Points.Select(point => FormattableString.Invariant($"{X(point.X):0.#},{Y(point.Y):0.#}")));
        if (line.Points.Count > 1)
            svg.Append($"<polyline fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"{dash} points=\"{path}\"/>");
        foreach ((double x, double y, string text) in line.Points)
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<circle cx=\"{X(x):0.#}\" cy=\"{Y(y):0.#}\" r=\"4.5\" fill=\"{color}\"><title>{Encode(text)}</title></circle>"
            );
        double at = Top + 10 + index * LegendStep,
            left = Width - Right + 14;
        if (at > Height - 6)
            return;
        string name = line.Name.Length > LongestName ? line.Name[..(LongestName - 1)] + "…" : line.Name;
        svg.Append(
            CultureInfo.InvariantCulture,
            $"<circle cx=\"{left}\" cy=\"{at - 4}\" r=\"4.5\" fill=\"{color}\"/><text class=\"text\" x=\"{left + 10}\" "
                + $"y=\"{at}\">{Encode(name)}<title>{Encode(line.Name)}</title></text>"
        );
    }

    private double X(double value) => Left + _x.Place(value) * (Width - Left - Right);

    private double Y(double value) => Height - Bottom - _y.Place(value) * (Height - Top - Bottom);

    private static string Encode(string text) => WebUtility.HtmlEncode(text);

    /// <summary>An axis from a bit below the smallest value to a bit above the largest.</summary>
    private sealed class Axis
    {
        private readonly double _low,
            _high;
        private readonly bool _logarithmic;

        private Axis(double low, double high, bool logarithmic) => (_low, _high, _logarithmic) = (low, high, logarithmic);

        public static Axis Over(IEnumerable<double> values, bool logarithmic)
        {
            const double Smallest = 1e-4,
                Margin = 0.08;
            double[] places = [.. values.Select(value => logarithmic ? Math.Log10(Math.Max(value, Smallest)) : value)];
            double low = places.Min(),
                high = places.Max(),
                space = high - low > 1e-9 ? Margin * (high - low)
                : logarithmic ? 0.3
                : 0.5;
            return new Axis(low - space, high + space, logarithmic);
        }

        /// <summary>0 at the low end, 1 at the high one.</summary>
        public double Place(double value) => ((_logarithmic ? Math.Log10(Math.Max(value, 1e-4)) : value) - _low) / (_high - _low);

        /// <summary>1, 2 or 5 times powers of ten.</summary>
        public IEnumerable<double> TickValues
        {
            get
            {
                if (_logarithmic)
                {
                    int[] digits = (_high - _low) switch
                    {
                        < 0.6 => [1, 2, 3, 4, 5, 6, 7, 8, 9],
                        < 1.2 => [1, 2, 3, 5, 7],
                        < 2.5 => [1, 2, 5],
                        _ => [1],
                    };
                    for (int exponent = (int)Math.Floor(_low); exponent <= _high; exponent++)
                        foreach (int digit in digits)
                            if (digit * Math.Pow(10, exponent) is var value && Place(value) is >= 0 and <= 1)
                                yield return value;
                    yield break;
                }
                double rough = (_high - _low) / Ticks,
                    power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
                double step =
                    power
                    * (rough / power) switch
                    {
                        <= 1 => 1,
                        <= 2 => 2,
                        <= 5 => 5,
                        _ => 10,
                    };
                for (long i = (long)Math.Ceiling(_low / step); i * step <= _high; i++)
                    yield return i * step;
            }
        }

        public string Text(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);
    }
}
