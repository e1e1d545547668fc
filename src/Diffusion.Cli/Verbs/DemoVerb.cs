using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Diffusion.Cli.Options;
using Diffusion.Cli.Restoring;
using Diffusion.Cli.Shell;
using Diffusion.Pipeline;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Spectre.Console;

namespace Diffusion.Cli.Verbs;

/// <summary>
/// <c>diffusion demo</c>: the bundled photographs through three tasks with the bundled prior, and a face with the bundled face model.
/// </summary>
internal sealed class DemoVerb : Verb
{
    private readonly Option<string> _output;
    private readonly SolverOptions _solver;
    private readonly ExecutionOptions _execution;

    public DemoVerb()
        : base("demo", "Restore the bundled photos: super-resolution, deblurring, inpainting, a face")
    {
        _output = Take(
            new Option<string>("--output", "-o")
            {
                HelpName = "DIR",
                Description = "Folder for the pictures",
                DefaultValueFactory = _ => "diffusion-demo",
            }
        );
        _solver = new SolverOptions().AddTo(this);
        _execution = new ExecutionOptions().AddTo(this);
    }

    public override IReadOnlyList<string> Examples => ["diffusion demo", "diffusion demo -s cm4ir -n 4 -o out", "diffusion demo --json"];

    public override ExitCode Run(Session session)
    {
        RestoreSettings.CheckSolver(session, _solver, Solvers.SolverCatalog.BuiltIn);
        RestoreSettings.CheckPrior(session, _solver);
        string folder = session.Get(_output)!;
        if (File.Exists(folder))
            throw new UsageException("There is a file of this name", folder, "Name a folder with -o");
        OutputPlan.CheckWritable(folder);
        ComputePolicy policy = RestoreSettings.Policy(session, _execution);
        // Operator and noise come with each measurement.
        using Restorer restorer = new(RestoreSettings.Options(session, _solver, _execution) with { Policy = policy });
        DemoRun run = new(session, restorer, folder);
        List<DemoResult> results = [];
        foreach (DemoTask task in DemoTask.All)
            Add(run.Run(task));
        Add(DemoFace.Run(session, new RunOptions { Policy = policy }, folder));
        if (!session.Terminal.Json)
            PrintTable(session.Terminal, results);
        session.Terminal.Say($"The pictures are in {folder}.");
        return ExitCode.Done;

        void Add(DemoResult result)
        {
            results.Add(result);
            if (session.Terminal.Json)
                session.Terminal.PrintJson(result.ToJson());
        }
    }

    private static void PrintTable(Terminal terminal, IReadOnlyList<DemoResult> results)
    {
        Table table = new();
        table.AddColumns("task", "photo", "what", "by");
        foreach (string column in (string[])["PSNR", "SSIM", "seconds"])
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach (DemoResult result in results)
        {
            foreach (DemoScore score in result.Scores)
            {
                string seconds = score.Seconds is { } s ? s.ToString("0.0", CultureInfo.InvariantCulture) : "";
                table.AddRow([
                    .. (
                        (string[])
                            [
                                result.Task.Name,
                                result.Task.Photo,
                                score.What,
                                score.By,
                                score.Metrics.Psnr.ToString("0.00", CultureInfo.InvariantCulture),
                                score.Metrics.Ssim?.ToString("0.0000", CultureInfo.InvariantCulture) ?? "-",
                                seconds,
                            ]
                    ).Select(Markup.Escape),
                ]);
            }
        }
        terminal.Print(table);
    }
}
