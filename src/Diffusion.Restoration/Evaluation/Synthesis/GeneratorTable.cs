using System.Globalization;
using System.Text;
using Diffusion.Synthesis;

namespace Diffusion.Evaluation;

/// <summary>Tables of a comparison of generators, and which bars a generator holds.</summary>
public static class GeneratorTable
{
    /// <summary>What mu and sigma may be missed by, at the median.</summary>
    public const double Missed = 0.15;

    /// <summary>The least difference of layouts between seeds, as a part of the reference's.</summary>
    public const double LayoutShare = 0.5;

    /// <summary>What the correlation of edges may be below the reference's, at the median.</summary>
    public const double Edges = 0.02;

    private static readonly (string Name, Func<GeneratorRow, string> Text)[] Columns =
    [
        ("degradation", row => DegradationKinds.NameOf(row.Kind)),
        ("made by", row => row.Generator),
        ("samples", row => Text(row.Samples, "0")),
        ("drawn reached", row => Text(row.Reached, "0 %")),
        ("mu off", row => Text(row.MuMissed, "0.0 %")),
        ("sigma off", row => Text(row.SigmaMissed, "0.0 %")),
        ("layouts differ", row => Text(row.Layout, "0.00")),
        ("came back", row => Text(row.Returned, "0 %")),
        ("edges", row => Text(row.Edges, "0.000")),
        ("edges - reference", row => Text(row.EdgesGained, "+0.000;-0.000;0.000")),
        ("seconds", row => Text(row.Seconds, "0.00")),
        ("misses", row => row.Misses.Count == 0 ? "nothing" : string.Join(", ", row.Misses)),
    ];

    /// <summary>One row for each degradation and generator.</summary>
    public static string Markdown(IReadOnlyList<GeneratorScore> scores)
    {
        StringBuilder table = new();
        void Row(IEnumerable<string> cells) => table.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
        Row(Columns.Select(column => column.Name));
        Row(Columns.Select(_ => "---"));
        foreach (GeneratorRow row in Rows(scores))
            Row(Columns.Select(column => column.Text(row)));
        return table.ToString();
    }

    /// <summary>Medians over samples, by degradation and generator; the first generator is the reference.</summary>
    public static IReadOnlyList<GeneratorRow> Rows(IReadOnlyList<GeneratorScore> scores)
    {
        List<GeneratorRow> rows = [];
        foreach (IGrouping<DegradationKind, GeneratorScore> kind in scores.GroupBy(score => score.Kind).OrderBy(kind => kind.Key))
        {
            GeneratorScore[][] generators = [.. kind.GroupBy(score => score.Generator).Select(one => one.ToArray())];
            double[] edges = [.. generators[0].Select(score => score.Edges)];
            double layout = Median(generators[0].Select(score => score.Layout));
            rows.AddRange(
                generators.Select(all => new GeneratorRow(
                    kind.Key,
                    all[0].Generator,
                    all.Length,
                    all.Count(score => score.IsReachable) / (double)all.Length,
                    Median(all.Select(score => score.MuMissed)),
                    Median(all.Select(score => score.SigmaMissed)),
                    Median(all.Select(score => score.Layout)),
                    all.Count(score => score.Returned) / (double)all.Length,
                    Median(all.Select(score => score.Edges)),
                    Median(all.Select((score, i) => score.Edges - edges[i])),
                    all.Average(score => score.Seconds),
                    layout
                ))
            );
        }
        return rows;
    }

    /// <summary>One line for each sample.</summary>
    public static string Csv(IReadOnlyList<GeneratorScore> scores)
    {
        StringBuilder lines = new(
            "picture,degradation,made by,mu drawn,sigma drawn,mu asked,sigma asked,mu,sigma,layouts differ,edges,seconds\n"
        );
        foreach (GeneratorScore s in scores)
        {
            double[] numbers = [s.Drawn.Mu, s.Drawn.Sigma, s.Asked.Mu, s.Asked.Sigma, s.Got.Mu, s.Got.Sigma, s.Layout, s.Edges, s.Seconds];
            lines
                .Append(CultureInfo.InvariantCulture, $"{s.Picture},{DegradationKinds.NameOf(s.Kind)},{s.Generator},")
                .AppendJoin(',', numbers.Select(number => Text(number, "0.0000")))
                .Append('\n');
        }
        return lines.ToString();
    }

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}

/// <summary>A generator's row.</summary>
/// <param name="Kind">The degradation.</param>
/// <param name="Generator">Its name.</param>
/// <param name="Samples">Number of samples.</param>
/// <param name="Reached">Share of what was drawn that the reference reached.</param>
/// <param name="MuMissed">Median of |mu / asked - 1|.</param>
/// <param name="SigmaMissed">Median of |sigma / asked - 1|.</param>
/// <param name="Layout">Median difference of layouts between seeds.</param>
/// <param name="Returned">Share of pictures that came back nearly as they were.</param>
/// <param name="Edges">Median correlation of edges with the clean picture.</param>
/// <param name="EdgesGained">Median of the difference to the reference's.</param>
/// <param name="Seconds">Mean time of a sample.</param>
/// <param name="ReferenceLayout">The reference's difference of layouts.</param>
public sealed record GeneratorRow(
    DegradationKind Kind,
    string Generator,
    int Samples,
    double Reached,
    double MuMissed,
    double SigmaMissed,
    double Layout,
    double Returned,
    double Edges,
    double EdgesGained,
    double Seconds,
    double ReferenceLayout
)
{
    /// <summary>The bars that are not held.</summary>
    public IReadOnlyList<string> Misses =>
        [
            .. new (string Name, bool Holds)[]
            {
                ("mu", MuMissed <= GeneratorTable.Missed),
                ("sigma", SigmaMissed <= GeneratorTable.Missed),
                ("layouts", Layout >= GeneratorTable.LayoutShare * ReferenceLayout),
                ("change", Returned == 0),
                ("edges", EdgesGained >= -GeneratorTable.Edges),
            }
                .Where(bar => !bar.Holds)
                .Select(bar => bar.Name),
        ];
}
