using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Diffusion.Evaluation;

/// <summary>Writes a benchmark as one HTML page that needs nothing else: sortable tables, plots, and pictures to compare.</summary>
public static class BenchReport
{
    private const string Template = "Diffusion.Evaluation.report.html";

    /// <summary>The page.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="title">The heading.</param>
    /// <param name="about">A sentence below it.</param>
    /// <param name="pictures">Where the pictures are; null for a report without.</param>
    public static string Write(IReadOnlyList<BenchRow> rows, string title, string about, BenchPictures? pictures = null)
    {
        using StreamReader template = new(typeof(BenchReport).Assembly.GetManifestResourceStream(Template)!);
        StringBuilder sections = new();
        List<List<object>> shown = [];
        foreach (BenchGroup group in BenchSummary.Of(rows))
        {
            Section(sections, group);
            List<object> compared = pictures is null ? [] : Compared(rows.Where(row => group.Contains(row.Cell)), pictures);
            if (compared.Count == 0)
                continue;
            sections.Append($"<div class=\"compare\" data-set=\"{shown.Count}\"></div>\n");
            shown.Add(compared);
        }
        // The serializer's own encoding leaves nothing that could end the script.
        return template
            .ReadToEnd()
            .Replace("{{title}}", WebUtility.HtmlEncode(title))
            .Replace("{{about}}", WebUtility.HtmlEncode(about))
            .Replace("{{sections}}", sections.ToString())
            .Replace("{{pictures}}", JsonSerializer.Serialize(shown));
    }

    private static void Section(StringBuilder html, BenchGroup group)
    {
        html.Append(
            $"<h2>{WebUtility.HtmlEncode(group.Title)}</h2>\n<p>{group.Pictures} "
                + $"picture{(group.Pictures == 1 ? "" : "s")}{(group.Reference is null ? "" : $", reference {group.Reference}")}</p>\n"
        );
        var columns = BenchMarkdown.Columns.Where(column => group.Lines.Any(line => column.Text(group, line).Length > 0)).ToArray();
        html.Append("<div class=\"wide\"><table><thead><tr>");
        foreach (var column in columns)
            html.Append($"<th{(column.IsNumber ? " class=\"n\"" : "")}><button type=\"button\">{column.Name}</button></th>");
        html.Append("</tr></thead><tbody>\n");
        foreach (BenchLine line in group.Lines)
        {
            html.Append($"<tr class=\"{line.Role.ToString().ToLowerInvariant()}\">");
            foreach (var column in columns)
                html.Append($"<td{(column.IsNumber ? " class=\"n\"" : "")}>{WebUtility.HtmlEncode(column.Text(group, line))}</td>");
            html.Append("</tr>\n");
        }
        html.Append("</tbody></table></div>\n<div class=\"plots\">");
        Figure(
            html,
            Plot.Draw(Series(group, solversOnly: true, line => line.Seconds), "seconds", "PSNR, dB", logarithmic: true, Rule(group)),
            "Distortion over time. Up and left is better."
        );
        Figure(
            html,
            Plot.Draw(Series(group, solversOnly: false, line => line.Niqe), "NIQE", "PSNR, dB"),
            "Distortion over naturalness (NIQE). Up and left is better."
        );
        Figure(
            html,
            Plot.Draw(Series(group, solversOnly: false, line => line.Lpips), "LPIPS", "PSNR, dB"),
            "Distortion over perceptual distance (LPIPS). Up and left is better."
        );
        html.Append("</div>\n");
    }

    private static void Figure(StringBuilder html, string svg, string caption)
    {
        if (svg.Length > 0)
            html.Append($"<figure>{svg}<figcaption>{caption}</figcaption></figure>");
    }

    private static (double, string)? Rule(BenchGroup group) =>
        group.Lines.FirstOrDefault(line => line.Role == BenchRole.Reference) is { } reference && double.IsFinite(reference.Psnr)
            ? (reference.Psnr, reference.Method)
            : null;

    /// <summary>
    /// One line per method and prior, through its numbers of steps; where they all took the same number, one line per solver through its
    /// settings.
    /// </summary>
    private static IReadOnlyList<PlotSeries> Series(BenchGroup group, bool solversOnly, Func<BenchLine, double?> across)
    {
        ILookup<string, int?> steps = group.Lines.ToLookup(line => line.Name, line => line.Steps);
        string Key(BenchLine line)
        {
            string method = steps[line.Name].Distinct().Count() == 1 ? line.Name : line.Method;
            return line.Prior.Length == 0 ? method : $"{method}, {line.Prior}";
        }
        // Solvers first, so that they have the same colours in both plots.
        return
        [
            .. group
                .Lines.Where(line =>
                    (line.Role == BenchRole.Solver || !solversOnly)
                    && double.IsFinite(line.Psnr)
                    && across(line) is { } x
                    && double.IsFinite(x)
                )
                .OrderBy(line => line.Role != BenchRole.Solver)
                .GroupBy(Key)
                .Select(lines => new PlotSeries(
                    lines.Key,
                    [.. lines.OrderBy(line => line.Steps).Select(line => (across(line)!.Value, line.Psnr, Text(line)))]
                )),
        ];
    }

    private static string Text(BenchLine line) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{line.Method}{(line.Role == BenchRole.Solver ? $", {line.Evaluations:0.#} evaluations" : "")}: {line.Psnr:0.00} dB, "
                + $"{line.Seconds:0.00} s{(line.Niqe is { } niqe ? $", NIQE {niqe:0.00}" : "")}"
        );

    /// <summary>The pictures of one degradation: for each its name, what can be compared, and which of it is the best.</summary>
    private static List<object> Compared(IEnumerable<BenchRow> rows, BenchPictures pictures)
    {
        List<object> all = [];
        foreach (IGrouping<string, BenchRow> picture in rows.GroupBy(row => row.Cell.Picture))
        {
            List<object> views = [];
            (int View, double Psnr) best = (0, double.NegativeInfinity);
            bool Add(BenchCell cell, string label)
            {
                if (pictures.Find(cell) is not { } bytes)
                    return false;
                views.Add(new { label, src = "data:image/webp;base64," + Convert.ToBase64String(bytes) });
                return true;
            }
            BenchCell measured = picture.First().Cell.Measured;
            Add(measured with { Method = BenchPictures.Measurement }, BenchPictures.Measurement);
            foreach (BenchRow row in picture.OrderBy(row => row.Role == BenchRole.Solver))
            {
                bool added = Add(row.Cell, string.Create(CultureInfo.InvariantCulture, $"{row.Cell.Label}, {row.Metrics.Psnr:0.00} dB"));
                if (added && row.Metrics.Psnr > best.Psnr)
                    best = (views.Count - 1, row.Metrics.Psnr);
            }
            Add(measured with { Method = BenchPictures.Original }, BenchPictures.Original);
            if (views.Count > 1)
                all.Add(
                    new
                    {
                        name = picture.Key,
                        best = best.View,
                        views,
                    }
                );
        }
        return all;
    }
}
