using System.Globalization;
using System.Text.Json.Nodes;
using Diffusion.Cli.Shell;
using Diffusion.Restoration;
using Diffusion.Solvers;
using Spectre.Console;

namespace Diffusion.Cli.Verbs;

/// <summary>
/// <c>diffusion solvers show auto</c>: the measurements that <c>--solver auto</c> chooses from, and its choice for a task.
/// </summary>
internal static class SolverAdviceReport
{
    /// <summary>Prints both.</summary>
    public static void Print(Terminal terminal, PresetRequest request)
    {
        SolverAdvice advice = SolverTable.Shipped.Advise(request);
        IReadOnlyList<SolverTableRow> rows = SolverTable.Shipped.Rows;
        if (terminal.Json)
        {
            terminal.PrintJson(
                new JsonObject
                {
                    ["name"] = SolverTable.Auto,
                    ["solver"] = advice.Solver,
                    ["reason"] = advice.Reason,
                    ["measured"] = new JsonArray([
                        .. rows.Select(row =>
                            (JsonNode)
                                new JsonObject
                                {
                                    ["operator"] = row.Operator,
                                    ["noise"] = row.Noise,
                                    ["evaluations"] = row.Evaluations,
                                    ["solver"] = row.Solver,
                                    ["psnr"] = row.Psnr,
                                }
                        ),
                    ]),
                }
            );
            return;
        }
        terminal.Print(
            "auto: the best solver on the nearest degradation that was measured. Mean PSNR in dB on central 128x128 crops of three "
                + "pictures of Set14 (2, 5, 10) and three held-out training photographs, default presets, prior photo (diffusion "
                + "bench auto --images PICTURES):"
        );
        string[] solvers = [.. rows.Select(row => row.Solver).Distinct()];
        Table table = new();
        table.AddColumns(["operator", "noise", "evaluations", .. solvers]);
        foreach (var group in rows.GroupBy(row => (row.Operator, row.Noise, row.Evaluations)))
        {
            double best = group.Max(row => row.Psnr);
            string Score(string solver) =>
                group.FirstOrDefault(row => row.Solver == solver) is { } row
                    ? row.Psnr.ToString("0.00", CultureInfo.InvariantCulture) + (row.Psnr == best ? " *" : "")
                    : "";
            table.AddRow([
                .. (
                    (string[])
                        [
                            group.Key.Operator,
                            group.Key.Noise.ToString(CultureInfo.InvariantCulture),
                            group.Key.Evaluations.ToString(CultureInfo.InvariantCulture),
                            .. solvers.Select(Score),
                        ]
                ).Select(Markup.Escape),
            ]);
        }
        terminal.Print(table);
        terminal.Print($"For this task: {advice.Solver} ({advice.Reason}).");
    }
}
