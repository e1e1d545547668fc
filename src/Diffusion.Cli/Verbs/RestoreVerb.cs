using System.CommandLine;
using Diffusion.Cli.Options;
using Diffusion.Cli.Restoring;
using Diffusion.Cli.Shell;
using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Networks;
using Diffusion.Pipeline;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.Solvers;
using Diffusion.ZeroShot;

namespace Diffusion.Cli.Verbs;

/// <summary><c>diffusion restore</c>: degraded pictures in, restored pictures out.</summary>
internal sealed class RestoreVerb : Verb
{
    private const string Pattern = "{name}_restored.png",
        Extension = ".png";

    private readonly Argument<string[]> _inputs;
    private readonly ProblemOptions _problem;
    private readonly ReadingOptions _reading;
    private readonly SolverOptions _solver;
    private readonly Option<int?> _samples;
    private readonly Option<string?> _reference,
        _sheetFile,
        _classes;
    private readonly Option<int?> _label;
    private readonly Option<bool> _sheet,
        _dryRun;
    private readonly JobOptions _job;
    private readonly OutputOptions _output;
    private readonly ExecutionOptions _execution;

    public RestoreVerb()
        : base("restore", "Restore degraded images")
    {
        _inputs = Take(
            new Argument<string[]>("input")
            {
                HelpName = "INPUT...",
                Description = "Degraded pictures or .npz measurements: files, folders, globs, or - for standard input",
                Arity = ArgumentArity.OneOrMore,
            }
        );
        _problem = new ProblemOptions().AddTo(this);
        _reading = new ReadingOptions().AddTo(this, depth: true);
        _solver = new SolverOptions().AddTo(this);
        _samples = Take(
            new Option<int?>("--samples")
            {
                HelpName = "N",
                Description = "N restorations by different draws, with their mean and spread",
                CustomParser = Values.AtLeast(1, "samples"),
            }
        );
        _label = Take(
            new Option<int?>("--class")
            {
                HelpName = "N",
                Description = "The class, for class-conditional priors",
                CustomParser = Values.AtLeast(0, "classes"),
            }
        );
        _classes = Take(
            new Option<string?>("--classes") { HelpName = "FILE", Description = "Lines of NAME CLASS, for class-conditional priors" }
        );
        _output = new OutputOptions().AddTo(this);
        _reference = Take(
            new Option<string?>("--reference") { HelpName = "PATH", Description = "The clean picture, or a folder of them: prints metrics" }
        );
        _sheet = Take(new Option<bool>("--sheet") { Description = "Write a before/after picture beside the output" });
        _sheetFile = Take(
            new Option<string?>("--sheet-file") { HelpName = "FILE", Description = "Write the before/after picture to this file" }
        );
        _execution = new ExecutionOptions().AddTo(this);
        _job = new JobOptions().AddTo(this);
        _dryRun = Take(new Option<bool>("--dry-run") { Description = "Show the plan, the memory and the time, and stop" });
    }

    public override IReadOnlyList<string> Examples =>
        [
            "diffusion restore small.png -A \"downsample:factor=4\" --noise 0.02 -o large.png",
            "diffusion restore blurred/ -A \"blur:sigma=2\" --noise auto -s cm4ir -n 4 -o sharp/",
            "diffusion restore small.tif --reference photo.png --sheet",
            "diffusion restore blurred/ -o sharp/ --shard 1/4 --resume",
        ];

    public override ExitCode Run(Session session)
    {
        // Nothing below touches libtorch until the command line is known to make sense.
        (OperatorCatalog operators, SolverCatalog solvers, NetworkCatalog? networks) = RestoreSettings.Catalogs(session, _problem);
        OperatorSpec? spec = RestoreSettings.Operator(session, _problem, operators);
        RestoreSettings.CheckSolver(session, _solver, solvers);
        string[] words = session.Get(_inputs);
        bool several = _job.IsOneOfSeveralRuns(session),
            overwrite = session.Get(_output.Force) || session.Get(_job.Resume);
        string? output = session.Get(_output.Output);
        // What an earlier run left in a folder is no input of the next one, unless it is named.
        string[] inputs = [.. InputFiles.Expand(words, ".npz").Where(file => words.Contains(file) || !RestoredFiles.IsResult(file))];
        if (several)
            inputs = [.. OutputPlan.WithoutResults(inputs, words, output, Pattern, Extension)];
        if (inputs.Length == 0)
            throw new ImageException("There are only restored pictures", words[0], "Name those that are to be restored again");
        References references = new(session.Get(_reference), inputs);
        string[] clean = [.. inputs.Select(references.For).OfType<string>()];
        OutputPlan plan = OutputPlan.Make(inputs, output, Pattern, Extension, overwrite, several, clean);
        _reading.CheckOutputs(session, plan.Paths);
        string[] sheets = Sheets(session, plan);
        OutputPlan.CheckFree([.. plan.Paths, .. sheets], [.. inputs, .. clean], overwrite || several);
        foreach (string sheet in sheets)
            OutputPlan.CheckWritable(Path.GetDirectoryName(Path.GetFullPath(sheet))!);
        if (session.Terminal.Json && plan.Paths.Contains(OutputPlan.StandardOutput) && !session.Get(_dryRun))
            throw new UsageException(
                "--json and the picture cannot both go to standard output",
                "-o -",
                "Leave --json out, or write the picture to a file"
            );
        Classes classes = Classes.Read(session.Get(_classes), session.Get(_label));
        RestoreSettings.CheckPrior(session, _solver);
        foreach (string input in inputs)
            RequireOperator(input, spec, session);
        foreach (string note in spec?.Notes() ?? [])
            session.Terminal.Say($"{note}.");

        RestoreOptions options = RestoreSettings.Options(session, _solver, _execution) with
        {
            Operator = spec,
            Noise = session.Get(_problem.Noise)?.Sigma,
            NoiseInFileUnits = session.Get(_problem.Noise)?.InFileUnits ?? false,
            Reading = _reading.Of(session),
            Samples = session.Get(_samples) ?? 1,
            Label = session.Get(_label),
            ResizeMask = session.Get(_problem.ResizeMask),
            CropToFit = session.Get(_problem.CropToFit),
            Operators = operators,
            Solvers = solvers,
            Networks = networks,
        };
        FileJob files = JobConsole.Watched(
            session,
            [
                .. inputs.Zip(plan.Paths, (input, path) =>
                    new JobItem(input, path, () => ZeroShotMethod.Settings(input, options, classes.Of(input)))
                ),
            ],
            session.Get(_job.Shard),
            session.Get(_job.Resume) ? JobRecord.IsComplete : null
        );
        Dictionary<string, string> sheetOf = plan.Paths.Zip(sheets).ToDictionary(pair => pair.First, pair => pair.Second);
        string[] made = [.. files.Items.Select(item => item.Output)];
        OutputPlan.CheckFree([.. made, .. made.Where(sheetOf.ContainsKey).Select(path => sheetOf[path])], [.. inputs, .. clean], overwrite);
        bool dryRun = session.Get(_dryRun);
        if (!dryRun)
            JobConsole.TellComplete(session, files);
        if (!dryRun && files.Todo.Count == 0)
            return ExitCode.Done;
        StartUp startUp = new();
        startUp.Mark("runtime and command line");
        RunOptions run = options with { Policy = RestoreSettings.Policy(session, _execution) };
        startUp.Mark("libtorch");
        ZeroShotMethod method = new(options);
        int batch = session.Get(_execution.Batch) ?? 1;
        if (dryRun)
        {
            using RestorationRunner runner = new(method, run);
            return UsageException.GuardArguments(() => RestoreDryRun.Run(session, files, classes.Of, batch, runner, options.Reading));
        }
        RestoreConsole console = new(session, startUp)
        {
            References = references,
            Sheets = sheetOf,
            Warning = () =>
                classes.Any && method.PriorInfo.Classes is null
                    ? $"Prior {method.PriorInfo.Name} knows no classes: --class and --classes change nothing."
                    : null,
        };
        RestoreJob job = new(files, console)
        {
            LabelOf = classes.Of,
            Reading = options.Reading,
            Batch = batch,
            Overwrite = overwrite,
            StandardOutput = Console.OpenStandardOutput,
        };
        return UsageException.GuardArguments(() =>
        {
            job.Run(() => new RestorationRunner(method, run));
            return JobConsole.Finish(session, files);
        });
    }

    /// <summary>The before/after pictures: one beside each output, or the one that the user named; none without <c>--sheet</c>.</summary>
    private string[] Sheets(Session session, OutputPlan plan)
    {
        if (session.Get(_sheetFile) is { } file)
            return plan.Paths.Count > 1
                ? throw new UsageException(
                    $"{plan.Paths.Count} sheets cannot go to one file",
                    "--sheet-file",
                    "Use --sheet, which writes one beside each output"
                )
                : [file];
        if (!session.Get(_sheet))
            return [];
        if (plan.Paths.Contains(OutputPlan.StandardOutput))
            throw new UsageException("There is no output file for --sheet to lie beside", "-o -", "Name the sheet with --sheet-file");
        return [.. plan.Paths.Select(path => Path.ChangeExtension(path, null) + "_sheet.png")];
    }

    private void RequireOperator(string input, OperatorSpec? spec, Session session)
    {
        if (spec is not null && session.Has(_problem.Noise))
            return;
        SideFile? side = input == ImageFile.Standard ? null : SideFile.Find(input);
        if (side is not null)
            return;
        string missing = spec is null ? "-A SPEC" : "--noise";
        throw new UsageException(
            $"{missing} is missing, and there is no side file that says it",
            input,
            spec is null
                ? "Say how the picture was degraded, for example -A \"downsample:factor=4\" --noise 0.02"
                : "Give the noise's standard deviation on the [0,1] scale, or --noise auto"
        );
    }
}
