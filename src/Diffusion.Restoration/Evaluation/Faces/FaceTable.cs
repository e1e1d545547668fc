using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Diffusion.Evaluation;

/// <summary>Tables of a comparison of face restorers.</summary>
public static class FaceTable
{
    private static readonly (string Name, string Format, Func<FaceScore, double> Value)[] Columns =
    [
        ("PSNR", "0.00", score => score.Psnr),
        ("GMSD", "0.0000", score => score.Gmsd),
        ("identity distance", "0.000", score => score.Identity),
        ("landmark distance", "0.0000", score => score.Landmarks),
        ("NIQE", "0.00", score => score.Niqe),
        ("high band", "0.00", score => score.HighBand),
        ("seconds", "0.000", score => score.Seconds),
    ];

    /// <summary>Mean and standard deviation over faces and seeds, and how often a contender is better than what it is given.</summary>
    public static string Markdown(IReadOnlyList<FaceScore> scores)
    {
        StringBuilder table = new();
        table.Append("| restored by |");
        foreach ((string name, _, _) in Columns)
            table.Append(CultureInfo.InvariantCulture, $" {name} |");
        table.Append(" PSNR above bicubic | identity nearer than degraded |\n|---|");
        table.Insert(table.Length, "---|", Columns.Length + 2).Append('\n');
        foreach (IGrouping<string, FaceScore> contender in scores.GroupBy(score => score.Contender))
        {
            table.Append(CultureInfo.InvariantCulture, $"| {contender.Key} |");
            foreach ((_, string format, Func<FaceScore, double> value) in Columns)
            {
                double[] values = Finite(contender, value);
                table.Append(' ').Append(Text(Mean(values), format));
                table.Append(" ± ").Append(Text(Spread(values), format)).Append(" |");
            }
            table.Append(CultureInfo.InvariantCulture, $" {Above(contender, scores):0 %} | {Nearer(contender, scores):0 %} |\n");
        }
        return table.ToString();
    }

    /// <summary>
    /// The same numbers for programs: mean, deviation over faces and seeds, and deviation of the means of the seeds.
    /// </summary>
    public static JsonObject Json(IReadOnlyList<FaceScore> scores) =>
        new()
        {
            ["faces"] = scores.Select(score => score.Face).Distinct().Count(),
            ["seeds"] = scores.Select(score => score.Seed).Distinct().Count(),
            ["restored_by"] = new JsonObject(
                scores
                    .GroupBy(score => score.Contender)
                    .Select(contender => KeyValuePair.Create(contender.Key, (JsonNode?)Numbers([.. contender], scores)))
            ),
        };

    private static JsonObject Numbers(FaceScore[] contender, IReadOnlyList<FaceScore> scores)
    {
        JsonObject numbers = [];
        foreach ((string name, _, Func<FaceScore, double> value) in Columns)
        {
            double[] seeds = [.. contender.GroupBy(score => score.Seed).Select(seed => Mean(Finite(seed, value)))];
            numbers[name.ToLowerInvariant().Replace(' ', '_')] = new JsonObject
            {
                ["mean"] = Rounded(Mean(Finite(contender, value))),
                ["deviation"] = Rounded(Spread(Finite(contender, value))),
                ["between_seeds"] = Rounded(Spread(seeds)),
            };
        }
        numbers["psnr_above_bicubic"] = Rounded(Above(contender, scores));
        numbers["identity_nearer_than_degraded"] = Rounded(Nearer(contender, scores));
        return numbers;
    }

    private static JsonNode? Rounded(double value) => double.IsFinite(value) ? JsonValue.Create(Math.Round(value, 5)) : null;

    private static double[] Finite(IEnumerable<FaceScore> scores, Func<FaceScore, double> value) =>
        [.. scores.Select(value).Where(double.IsFinite)];

    private static double Above(IEnumerable<FaceScore> contender, IReadOnlyList<FaceScore> scores) =>
        Share(contender, scores, FaceContender.Bicubic, (a, b) => a.Psnr > b.Psnr);

    private static double Nearer(IEnumerable<FaceScore> contender, IReadOnlyList<FaceScore> scores) =>
        Share(contender, scores, FaceContender.Degraded, (a, b) => a.Identity < b.Identity);

    /// <summary>One line for each face and contender.</summary>
    public static string Csv(IReadOnlyList<FaceScore> scores) =>
        string.Concat(
            scores
                .Select(s =>
                    string.Create(CultureInfo.InvariantCulture, $"{Cell(s.Face)},{s.Seed},{Cell(s.Contender)},")
                    + string.Create(
                        CultureInfo.InvariantCulture,
                        $"{s.Psnr:0.000},{s.Gmsd:0.00000},{s.Identity:0.0000},{s.Landmarks:0.00000},"
                    )
                    + string.Create(CultureInfo.InvariantCulture, $"{s.Niqe:0.000},{s.HighBand:0.0000},{s.Seconds:0.000}\n")
                )
                .Prepend("face,seed,restored by,psnr,gmsd,identity,landmarks,niqe,high band,seconds\n")
        );

    private static string Cell(string text) => text.AsSpan().ContainsAny(",\"") ? $"\"{text.Replace("\"", "\"\"")}\"" : text;

    /// <summary>
    /// The part of a contender's faces that compare so with the same faces by another one; NaN where that one has none.
    /// </summary>
    public static double Share(
        IEnumerable<FaceScore> contender,
        IReadOnlyList<FaceScore> scores,
        string other,
        Func<FaceScore, FaceScore, bool> compare
    )
    {
        Dictionary<(string, ulong), FaceScore> others = scores.Where(score => score.Contender == other).ToDictionary(s => (s.Face, s.Seed));
        bool[] better = [.. contender.Where(s => others.ContainsKey((s.Face, s.Seed))).Select(s => compare(s, others[(s.Face, s.Seed)]))];
        return better.Length == 0 ? double.NaN : better.Count(one => one) / (double)better.Length;
    }

    private static double Mean(double[] values) => values.Length == 0 ? double.NaN : values.Average();

    private static double Spread(double[] values)
    {
        if (values.Length < 2)
            return 0;
        double mean = values.Average();
        return Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1));
    }

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
