using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Diffusion.Cli.Options;
using Diffusion.Cli.Restoring;
using Diffusion.Cli.Shell;
using Diffusion.Models;
using Diffusion.Pipeline;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.Training;
using Spectre.Console;

namespace Diffusion.Cli.Verbs;

/// <summary><c>diffusion train validate</c>: how well a prior removes Gaussian noise in one evaluation, or restores in a few.</summary>
internal sealed class TrainValidateVerb : Verb
{
    private readonly Argument<string[]> _photos;
    private readonly Option<string> _prior,
        _dtype;
    private readonly Option<bool> _table,
        _tasks;
    private readonly Option<int?> _threads;
    private readonly Option<ulong> _seed;

    public TrainValidateVerb()
        : base("validate", "Measure how well a prior removes Gaussian noise at 15, 25 and 50 of 255")
    {
        _photos = Take(
            new Argument<string[]>("photos")
            {
                HelpName = "PHOTO...",
                Description = "Clean photographs: files, folders, globs",
                Arity = ArgumentArity.OneOrMore,
            }
        );
        _prior = Take(
            new Option<string>("--prior", "-p")
            {
                HelpName = "NAME|FILE",
                Description = "The prior",
                DefaultValueFactory = _ => "photo",
            }
        );
        _table = Take(new Option<bool>("--rmse") { Description = "Measure 20 noise levels instead, for a card's rmse table" });
        _tasks = Take(new Option<bool>("--tasks") { Description = "Restore in the demo's three tasks instead, by cm4ir at 4 evaluations" });
        _threads = Take(
            new Option<int?>("--threads")
            {
                HelpName = "N",
                Description = "Threads, each with a photograph of its own",
                CustomParser = Values.AtLeast(1, "threads"),
            }
        );
        _dtype = Take(
            new Option<string>("--dtype")
            {
                HelpName = "auto|fp32|bf16",
                Description = "The network's number format",
                DefaultValueFactory = _ => "auto",
            }.AcceptOnlyFromAmong("auto", "fp32", "bf16")
        );
        _seed = Take(
            new Option<ulong>("--seed")
            {
                HelpName = "N",
                Description = "Seed of the noise",
                CustomParser = Values.Seed,
                DefaultValueFactory = _ => 0UL,
            }
        );
    }

    public override IReadOnlyList<string> Examples =>
        [
            "diffusion train validate CBSD68/",
            "diffusion train validate photos/ -p my-prior/prior --json",
            "diffusion train validate photos/ -p my-prior/prior --rmse",
            "diffusion train validate photos/ -p my-prior/prior --tasks",
        ];

    public override ExitCode Run(Session session)
    {
        IReadOnlyList<string> files = InputFiles.Expand(session.Get(_photos));
        if (session.Get(_tasks))
            return Restore(session, files);
        using IDenoiser prior = PriorLoader.Load(session.Get(_prior)!, ComputePolicy.Choose("cpu", session.Get(_dtype)!, threads: 1));
        IReadOnlyList<double> levels = session.Get(_table)
            ? Validation.TableLevels(Math.Max(0.01, prior.Info.NoiseRange.Min))
            : Validation.PaperLevels;
        IReadOnlyList<ValidationRow> rows = Validation.Measure(
            prior,
            TrainingPhotos.Read(files),
            levels,
            session.Get(_threads) ?? Environment.ProcessorCount,
            session.Get(_seed)
        );
        if (session.Terminal.Json)
        {
            session.Terminal.PrintJson(
                new JsonObject
                {
                    ["prior"] = prior.Info.Name,
                    ["photographs"] = files.Count,
                    ["validation"] = ToJson(rows),
                }
            );
            return ExitCode.Done;
        }
        Table table = new();
        table.AddColumns("sigma (of 255)", "sigma (on [[-1,1]])", "PSNR, dB", "unclamped, dB", "rmse (on [[-1,1]])");
        foreach (ValidationRow row in rows)
            table.AddRow(
                Text(row.Sigma * 127.5, "0.##"),
                Text(row.Sigma, "0.#####"),
                Text(row.Psnr, "0.000"),
                Text(row.PsnrUnclamped, "0.000"),
                Text(row.Rmse, "0.00000")
            );
        session.Terminal.Print(table);
        return ExitCode.Done;
    }

    private ExitCode Restore(Session session, IReadOnlyList<string> files)
    {
        if (session.Get(_table))
            throw new UsageException("--tasks and --rmse are two measurements", null, "Give one of them");
        ComputePolicy policy = ComputePolicy.Choose("cpu", session.Get(_dtype)!, threads: session.Get(_threads));
        using Restorer restorer = new(
            new RestoreOptions
            {
                Prior = session.Get(_prior)!,
                Solver = "cm4ir",
                Steps = 4,
                Policy = policy,
            }
        );
        IReadOnlyList<TaskValidation> rows = [];
        session.Terminal.WithProgress("restoring", report =>
            rows = TaskValidation.Measure(restorer, files, session.Get(_seed), report, session.Cancellation)
        );
        if (session.Terminal.Json)
        {
            JsonArray tasks =
            [
                .. rows.Select(r =>
                    (JsonNode)
                        new JsonObject
                        {
                            ["task"] = r.Task.Name,
                            ["operator"] = r.Task.Operator,
                            ["noise"] = DemoTask.Noise,
                            ["psnr"] = r.Psnr,
                            ["baseline"] = r.Baseline,
                            ["baseline_psnr"] = r.BaselinePsnr,
                        }
                ),
            ];
            session.Terminal.PrintJson(
                new JsonObject
                {
                    ["prior"] = restorer.Prior.Name,
                    ["photographs"] = files.Count,
                    ["restoration"] = tasks,
                }
            );
            return ExitCode.Done;
        }
        Table table = new();
        table.AddColumns("task", "operator", "PSNR, dB", "baseline", "PSNR, dB", "gain, dB");
        foreach (TaskValidation row in rows)
            table.AddRow(
                row.Task.Name,
                row.Task.Operator,
                Text(row.Psnr, "0.00"),
                row.Baseline,
                Text(row.BaselinePsnr, "0.00"),
                Text(row.Psnr - row.BaselinePsnr, "+0.00;-0.00")
            );
        session.Terminal.Print(table);
        return ExitCode.Done;
    }

    /// <summary>Rows for <c>--json</c>.</summary>
    public static JsonArray ToJson(IReadOnlyList<ValidationRow> rows) =>
        [
            .. rows.Select(r =>
                (JsonNode)
                    new JsonObject
                    {
                        ["sigma"] = r.Sigma,
                        ["psnr"] = r.Psnr,
                        ["psnr_unclamped"] = r.PsnrUnclamped,
                        ["rmse"] = r.Rmse,
                    }
            ),
        ];

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
