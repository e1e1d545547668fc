using System.Globalization;

namespace Diffusion.Interactive;

/// <summary>Plots that a notebook about restoration needs; anything else is ScottPlot's own.</summary>
public static class Curves
{
    /// <summary>Lines over a common axis.</summary>
    /// <param name="x">What the horizontal axis is called.</param>
    /// <param name="y">What the vertical axis is called.</param>
    /// <param name="lines">Named lines.</param>
    public static ScottPlot.Plot Lines(string x, string y, params (string Name, double[] X, double[] Y)[] lines)
    {
        ScottPlot.Plot plot = new();
        foreach ((string name, double[] xs, double[] ys) in lines)
            plot.Add.Scatter(xs, ys).LegendText = name;
        plot.XLabel(x);
        plot.YLabel(y);
        if (lines.Length > 1)
            plot.ShowLegend();
        return plot;
    }

    /// <summary>Named points, as of solvers between distortion and perception.</summary>
    /// <param name="x">What the horizontal axis is called.</param>
    /// <param name="y">What the vertical axis is called.</param>
    /// <param name="points">Named points.</param>
    public static ScottPlot.Plot Points(string x, string y, params (string Name, double X, double Y)[] points)
    {
        ScottPlot.Plot plot = new();
        foreach ((string name, double px, double py) in points)
        {
            plot.Add.Marker(px, py);
            plot.Add.Text($" {name}", px, py);
        }
        plot.XLabel(x);
        plot.YLabel(y);
        return plot;
    }

    /// <summary>The curve of a training run.</summary>
    /// <param name="lossFile">Its <c>loss.csv</c>.</param>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static ScottPlot.Plot Loss(string lossFile)
    {
        string[] lines = File.ReadAllLines(lossFile);
        string[] names = lines[0].Split(',');
        double[][] rows =
        [
            .. lines
                .Skip(1)
                .Select(line => (double[])[.. line.Split(',').Select(cell => double.Parse(cell, CultureInfo.InvariantCulture))]),
        ];
        double[] Column(string name) => [.. rows.Select(row => row[Array.IndexOf(names, name)])];
        return Lines("crops", "error", ("error", Column("crops"), Column("error")));
    }
}
