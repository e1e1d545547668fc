using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Diffusion.Cli.Options;
using Diffusion.Cli.Restoring;
using Diffusion.Cli.Shell;
using Diffusion.Evaluation;
using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Pipeline;
using Diffusion.Runtime;
using Diffusion.Solvers;

namespace Diffusion.Cli.Verbs;

/// <summary>
/// <c>diffusion bench</c>: every combination of operators, noise, solvers, priors and steps on a folder of clean pictures.
/// </summary>
internal sealed class BenchVerb : Verb
{
    private readonly Argument<string?> _file;
    private readonly Option<string[]> _images;
    private readonly Option<string?> _output;
    private readonly BenchOptions _bench;
    private readonly Option<bool> _force,
        _dryRun,
        _parquet;
    private readonly Option<string?> _lpips;
    private readonly Option<string[]> _plugins;
    private readonly ExecutionOptions _execution;
    private readonly ProblemOptions _problem = new();

    public BenchVerb()
        : base("bench", "Measure operators x noise x solvers x priors x steps on clean images: CSV, Markdown, HTML")
    {
        _file = Take(
            new Argument<string?>("file")
            {
                HelpName = "FILE",
                Description = $"A bench file (.yaml), or one that ships: {string.Join(", ", Shipped.Keys)}",
                Arity = ArgumentArity.ZeroOrOne,
            }
        );
        _images = Take(
            new Option<string[]>("--images")
            {
                HelpName = "PATH",
                Description = "Clean pictures: files, folders, globs; repeatable",
                Required = true,
            }
        );
        _output = Take(
            new Option<string?>("--output", "-o")
            {
                HelpName = "DIR",
                Description = "Folder for results.csv, means.csv, results.md and report.html; what it has already is skipped",
            }
        );
        _bench = new BenchOptions().AddTo(this);
        _lpips = Take(
            new Option<string?>("--lpips")
            {
                HelpName = "FILE",
                Description = "Published weights of AlexNet, VGG-16 or SqueezeNet 1.1: measures LPIPS as well",
            }
        );
        _parquet = Take(new Option<bool>("--parquet") { Description = "Write results.parquet too" });
        _force = Take(new Option<bool>("--force") { Description = "Begin anew instead of going on" });
        _dryRun = Take(new Option<bool>("--dry-run") { Description = "Show how much there is to do, and stop" });
        _execution = new ExecutionOptions();
        foreach (Option option in (Option[])[_execution.Device, _execution.Dtype, _execution.Threads])
            Add(option);
        _plugins = Take(_problem.Plugins);
    }

    private static string ShippedFolder => Path.Combine(AppContext.BaseDirectory, "bench");

    private static IReadOnlyDictionary<string, string> Shipped =>
        Directory.Exists(ShippedFolder)
            ? Directory
                .GetFiles(ShippedFolder, "*.yaml")
                .Order(StringComparer.Ordinal)
                .ToDictionary(file => Path.GetFileNameWithoutExtension(file), StringComparer.Ordinal)
            : new Dictionary<string, string>();

    public override IReadOnlyList<string> Examples =>
        [
            "diffusion bench restoration --images photos/ -o restoration/",
            "diffusion bench --images photos/ -A \"blur:sigma=2\" --noise 0.02,0.05 -s dpir,cm4ir -n 4,8 -o blur/",
            "diffusion bench my.yaml --images \"photos/*.png\" --sizes 256x256 --seeds 0,1,2",
        ];

    public override ExitCode Run(Session session)
    {
        Catalogs catalogs = new(session, _plugins);
        string? named = session.Get(_file);
        BenchPlan plan = named is null ? new BenchPlan { Solvers = [new("dpir"), new("cm4ir")], Steps = [8] } : BenchFile.Read(Find(named));
        plan = UsageException.Guard(() =>
            _bench
                .Apply(session, plan with { Pictures = InputFiles.Expand(session.Get(_images)!) })
                .Checked(catalogs.Operators, catalogs.Solvers)
        );
        string folder = session.Get(_output) ?? "bench-" + (named is null ? "results" : Path.GetFileNameWithoutExtension(named));
        if (File.Exists(folder))
            throw new UsageException("There is a file of this name", folder, "Name a folder with -o");
        foreach (string prior in plan.Priors)
            PriorFiles.Find(prior);

        ComputePolicy policy = RestoreSettings.Policy(session, _execution);
        using BenchTable table = BenchTable.Open(Path.Combine(folder, "results.csv"), session.Get(_force));
        using BenchPriors priors = new(policy, catalogs.Networks);
        using Metrics.Lpips? lpips = session.Get(_lpips) is { } weights ? LpipsWeights.Open(weights) : null;
        BenchPictures pictures = new(Path.Combine(folder, "pictures"), plan);
        BenchRunner runner = new(plan, table, priors, policy)
        {
            Pictures = pictures,
            Lpips = lpips,
            Operators = catalogs.Operators,
            Solvers = catalogs.Solvers,
            Progress = progress => Tell(session.Terminal, progress),
        };
        session.Terminal.Say(
            $"{Count(plan.Pictures.Count, "picture")}, {Count(runner.Total, "restoration")}, {runner.Missing} of them to do."
        );
        if (session.Get(_dryRun))
            return ExitCode.Done;
        try
        {
            runner.Run(session.Cancellation);
        }
        finally
        {
            Write(session.Terminal, runner, plan, policy, pictures, folder);
            if (session.Get(_parquet))
                OutputFile.Write(Path.Combine(folder, "results.parquet"), overwrite: true, stream =>
                    BenchParquet.Write(stream, runner.Rows)
                );
        }
        if (runner.Failures.Count == 0)
            return ExitCode.Done;
        session.Terminal.Fail(
            new Failure(ExitCode.Data, $"{runner.Failures.Count} measurements or restorations failed; a rerun tries them again.")
        );
        return ExitCode.Data;
    }

    private static string Find(string named)
    {
        if (File.Exists(named))
            return named;
        if (Shipped.TryGetValue(named, out string? shipped))
            return shipped;
        throw new UsageException($"There is no bench file \"{named}\"", null, NearestName.Advice(named, [.. Shipped.Keys]));
    }

    private static void Write(
        Terminal terminal,
        BenchRunner runner,
        BenchPlan plan,
        ComputePolicy policy,
        BenchPictures pictures,
        string folder
    )
    {
        IReadOnlyList<BenchRow> rows = runner.Rows;
        string about =
            $"Networks in {policy.NetworkDtype.ToString().ToLowerInvariant()}, {torch.get_num_threads()} threads, Diffusion "
            + $"{Restoration.Versions.Library}.";
        IReadOnlyList<BenchGroup> groups = BenchSummary.Of(rows);
        string markdown = BenchMarkdown.Write(groups, plan.Title, about);
        OutputFile.Write(Path.Combine(folder, "means.csv"), overwrite: true, stream =>
            stream.Write(Encoding.UTF8.GetBytes(BenchMeans.Write(groups)))
        );
        OutputFile.Write(Path.Combine(folder, "results.md"), overwrite: true, stream => stream.Write(Encoding.UTF8.GetBytes(markdown)));
        OutputFile.Write(Path.Combine(folder, "report.html"), overwrite: true, stream =>
            stream.Write(Encoding.UTF8.GetBytes(BenchReport.Write(rows, plan.Title, about, pictures)))
        );
        if (!terminal.Json)
            terminal.Print(markdown);
        terminal.Say($"Tables and report are in {folder}.");
    }

    private static void Tell(Terminal terminal, BenchProgress progress)
    {
        if (progress.Failure is { } failure)
        {
            terminal.Warn(failure);
            return;
        }
        BenchRow row = progress.Row!;
        BenchCell cell = row.Cell;
        if (terminal.Json)
        {
            JsonObject json = new()
            {
                ["picture"] = cell.Picture,
                ["size"] = cell.Size,
                ["operator"] = cell.Operator,
                ["noise"] = cell.Noise,
                ["seed"] = cell.Seed,
                ["role"] = row.Role.ToString().ToLowerInvariant(),
                ["method"] = cell.Method,
                ["preset"] = cell.Preset,
                ["set"] = cell.Set,
                ["prior"] = cell.Prior,
                ["steps"] = cell.Steps,
                ["evaluations"] = row.Evaluations,
                ["seconds"] = Math.Round(row.Seconds, 6),
                ["peak_mb"] = Math.Round(row.PeakMegabytes, 1),
                ["high_band"] = row.HighBand,
            };
            foreach ((string key, JsonNode? value) in row.Metrics.ToJson())
                json[key] = value?.DeepClone();
            terminal.PrintJson(json);
        }
        string steps = row.Role == BenchRole.Solver ? $" {row.Evaluations}" : "";
        terminal.Say(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{progress.Done}/{progress.Total} {cell.Picture} {cell.Operator} {cell.Noise} {cell.Method}{steps}: "
                    + $"{row.Metrics.Psnr:0.00} dB, {row.Seconds:0.00} s"
            )
        );
    }

    private static string Count(int n, string thing) => n == 1 ? $"1 {thing}" : $"{n} {thing}s";
}
