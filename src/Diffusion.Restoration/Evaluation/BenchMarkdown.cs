using System.Globalization;
using System.Text;

namespace Diffusion.Evaluation;

/// <summary>Writes the tables of a benchmark as Markdown.</summary>
public static class BenchMarkdown
{
    /// <summary>The columns of a table: their names, whether they are numbers, and their values as text.</summary>
    internal static IReadOnlyList<(string Name, bool IsNumber, Func<BenchGroup, BenchLine, string> Text)> Columns { get; } =
    [
        ("method", false, (_, line) => line.Method),
        ("prior", false, (_, line) => line.Prior),
        ("steps", true, (_, line) => line.Steps is { } steps ? Number(steps, "0") : ""),
        ("PSNR", true, (_, line) => Number(line.Psnr, "0.00")),
        ("SSIM", true, (_, line) => Number(line.Ssim, "0.0000")),
        ("NIQE", true, (_, line) => Number(line.Niqe, "0.00")),
        ("GMSD", true, (_, line) => Number(line.Gmsd, "0.0000")),
        ("high band", true, (_, line) => Number(line.HighBand, "0.000")),
        ("LPIPS", true, (_, line) => Number(line.Lpips, "0.0000")),
        ("gain", true, (_, line) => Number(line.Gain, "+0.00;-0.00;0.00")),
        ("sd", true, (_, line) => Number(line.GainDeviation, "0.00")),
        ("improved", true, (_, line) => line.Gain is null ? "" : $"{line.Improved}/{line.Pictures}"),
        ("sd of seeds", true, (_, line) => Number(line.SeedDeviation, "0.000")),
        ("evaluations", true, (_, line) => line.Role == BenchRole.Solver ? Number(line.Evaluations, "0.#") : ""),
        ("seconds", true, (_, line) => Number(line.Seconds, "0.00")),
        ("peak MB", true, (_, line) => Number(line.PeakMegabytes, "0")),
        ("pictures", true, (group, line) => line.Pictures == group.Pictures ? "" : $"{line.Pictures}/{group.Pictures}"),
    ];

    /// <summary>One table per degradation.</summary>
    /// <param name="groups">The tables.</param>
    /// <param name="title">The heading.</param>
    /// <param name="about">A sentence below it: version, threads, number format; or null.</param>
    public static string Write(IReadOnlyList<BenchGroup> groups, string title, string? about = null)
    {
        StringBuilder text = new($"# {title}\n\n");
        if (about is not null)
            text.Append(about).Append("\n\n");
        text.Append(
            "Means over pictures, on the values of 8-bit files. *gain*: PSNR minus that of the reference baseline on the same "
                + "measurement, *sd* its standard deviation over pictures, *improved* the pictures with a gain above 0. Tikhonov's "
                + "damping is the best one for each picture, found with the original. *seconds* are those of the restoration alone; "
                + "*peak MB* is what the whole process held meanwhile, reserves of its allocator included.\n"
        );
        foreach (BenchGroup group in groups)
        {
            // Columns that say nothing are left out.
            var columns = Columns.Where(column => group.Lines.Any(line => column.Text(group, line).Length > 0)).ToArray();
            text.Append(
                $"\n## {group.Title}\n\n{group.Pictures} "
                    + $"picture{(group.Pictures == 1 ? "" : "s")}{(group.Reference is null ? "" : $", reference {group.Reference}")}\n\n"
            );
            Row(text, columns.Select(column => column.Name));
            Row(text, columns.Select(column => column.IsNumber ? "---:" : "---"));
            foreach (BenchLine line in group.Lines)
                Row(text, columns.Select(column => column.Text(group, line)));
        }
        return text.ToString();
    }

    private static void Row(StringBuilder text, IEnumerable<string> cells) =>
        text.Append("| ").AppendJoin(" | ", cells.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal))).Append(" |\n");

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "";
}
