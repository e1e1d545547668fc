using System.CommandLine;
using Diffusion.Cli.Options;
using Diffusion.Cli.Restoring;
using Diffusion.Cli.Shell;
using Diffusion.Imaging;
using Diffusion.Pipeline;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Cli.Verbs;

/// <summary><c>diffusion restore</c>: degraded pictures in, restored pictures out.</summary>
internal sealed class RestoreVerb : Verb
{
    private const string Pattern = "{name}_restored.png",
        Extension = ".png";

    private readonly Argument<string[]> _inputs;
    private readonly WayOptions _way;
    private readonly Option<string?> _reference,
        _sheetFile;
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
        _way = new WayOptions().AddTo(this);
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
        RestoreWay way = RestoreWay.Of(session, _way, _execution);
        string[] words = session.Get(_inputs);
        bool several = _job.IsOneOfSeveralRuns(session),
            overwrite = session.Get(_output.Force) || session.Get(_job.Resume);
        string? output = session.Get(_output.Output);
        string ExtensionOf(string input) => ResultFormat.ExtensionFor(input, way.Options.Reading);
        // What an earlier run left in a folder is no input of the next one, unless it is named.
        string[] inputs = [.. InputFiles.Expand(words, ".npz").Where(file => words.Contains(file) || !RestoredFiles.IsResult(file))];
        if (several)
            inputs = [.. OutputPlan.WithoutResults(inputs, words, output, Pattern, Extension, ExtensionOf)];
        if (inputs.Length == 0)
            throw new ImageException("There are only restored pictures", words[0], "Name those that are to be restored again");
        References references = new(session.Get(_reference), inputs);
        string[] clean = [.. inputs.Select(references.For).OfType<string>()];
        OutputPlan plan = OutputPlan.Make(inputs, output, Pattern, Extension, overwrite, several, clean, ExtensionOf);
        _way.Reading.CheckOutputs(session, plan.Paths);
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
        way.Check(inputs);
        FileJob files = JobConsole.Watched(
            session,
            [.. inputs.Zip(plan.Paths, (input, path) => new JobItem(input, path, () => way.SettingsOf(input)))],
            session.Get(_job.Shard),
            session.Get(_job.Resume) ? item => JobRecord.IsComplete(item, () => JobConsole.TellOld(session, item)) : null
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
        RunOptions run = way.Options with { Policy = RestoreSettings.Policy(session, _execution) };
        startUp.Mark("libtorch");
        IRestorationMethod method = way.Create();
        int batch = session.Get(_execution.Batch) ?? 1;
        if (dryRun)
        {
            using RestorationRunner runner = new(method, run);
            return UsageException.GuardArguments(() => RestoreDryRun.Run(session, files, way.LabelOf, batch, runner, way.Options.Reading));
        }
        RestoreConsole console = new(session, startUp)
        {
            References = references,
            Reading = way.Options.Reading,
            Sheets = sheetOf,
            Warning = way.Warning,
        };
        RestoreJob job = new(files, console)
        {
            LabelOf = way.LabelOf,
            Reading = way.Options.Reading,
            Batch = batch,
            Overwrite = overwrite,
            StandardOutput = Console.OpenStandardOutput,
        };
        return UsageException.GuardArguments(() =>
        {
            try
            {
                job.Run(() => new RestorationRunner(method, run));
            }
            finally
            {
                console.Close();
            }
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
}
