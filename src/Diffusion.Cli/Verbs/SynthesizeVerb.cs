using System.CommandLine;
using System.Text.Json.Nodes;
using Diffusion.Cli.Options;
using Diffusion.Cli.Shell;
using Diffusion.Imaging;
using Diffusion.Pipeline;
using Diffusion.Runtime;
using Diffusion.Synthesis;
using Diffusion.Synthesis.DataSets;

namespace Diffusion.Cli.Verbs;

/// <summary><c>diffusion synthesize</c>: clean pictures in, a set of degraded ones with their clean partners out.</summary>
internal sealed class SynthesizeVerb : Verb
{
    private readonly Argument<string[]> _inputs;
    private readonly SynthesisOptions _set;
    private readonly Option<string?> _output;
    private readonly JobOptions _job;
    private readonly Option<int?> _threads;
    private readonly ExecutionOptions _execution = new();

    public SynthesizeVerb()
        : base("synthesize", "Make data sets of degraded pictures: haze, rain, snow, motion blur, low light, raindrops")
    {
        _inputs = Take(
            new Argument<string[]>("clean")
            {
                HelpName = "CLEAN...",
                Description = "Clean pictures: files, folders, globs",
                Arity = ArgumentArity.ZeroOrMore,
            }
        );
        _output = Take(new Option<string?>("--output", "-o") { HelpName = "FOLDER", Description = "The set's folder" });
        _set = new SynthesisOptions().AddTo(this);
        _job = new JobOptions().AddTo(this);
        _threads = Take(
            new Option<int?>("--threads")
            {
                HelpName = "N",
                Description = "Samples that are made at once, or threads of a bundle's networks (one per core)",
                CustomParser = Values.AtLeast(1, "threads"),
            }
        );
        foreach (Option option in (Option[])[_execution.Memory, _execution.Device, _execution.Dtype])
            Add(option);
        Action = new RunsAlone();
        Add(new SynthesizeStatsVerb());
        Add(new SynthesizeVerifyVerb());
    }

    public override IReadOnlyList<string> Examples =>
        [
            "diffusion synthesize photos/ -o rainy/ --degradation haze,rain --per-image 3",
            "diffusion synthesize photo.png -o snowy/ --degradation snow --intensity level=0.6 --seed 7",
            "diffusion synthesize photos/ -o hazy/ --degradation haze --generator gendeg/ --dtype bf16",
            "diffusion synthesize photos/ -o shards/ --degradation all --format webdataset --shard 1/4 --resume",
        ];

    public override ExitCode Run(Session session)
    {
        string[] words = session.Get(_inputs);
        if (words.Length == 0)
            throw new UsageException("CLEAN... is missing", "diffusion synthesize", "See diffusion synthesize --help");
        string output = session.Get(_output) ?? throw new UsageException("-o is missing", "diffusion synthesize", "Name the set's folder");
        using IDegradationGenerator generator = _set.Open(
            session,
            () => ComputePolicy.Choose(session.Get(_execution.Device)!, session.Get(_execution.Dtype)!, session.Get(_threads)),
            session.Get(_execution.Memory)
        );
        SetOptions options = _set.Read(session, generator);
        Func<string, string?> depthFor = DepthMaps(session.Get(_set.Depth));
        IReadOnlyList<string> inputs = InputFiles.Expand(words);
        if (inputs.Contains(InputFiles.StandardInput))
            throw new UsageException("A set is made of files", "-", "Name files or folders");
        IReadOnlyList<SetSource> sources = SetPlan.Hash(inputs, depthFor, (file, first) =>
            session.Terminal.Warn($"{file} holds the same as {first} and is left out.")
        );
        SetFolder folder = new(output);
        folder.Open(options, sources, _job.IsOneOfSeveralRuns(session));
        SetPlan plan = new(options, folder, sources);
        FileJob files = JobConsole.Watched(
            session,
            plan.Items,
            session.Get(_job.Shard),
            _job.IsOneOfSeveralRuns(session) ? plan.IsComplete : null
        );
        JobConsole.TellComplete(session, files);
        int workers = session.Get(_threads) ?? Environment.ProcessorCount;
        // Samples are made beside each other, not each by all cores: its bits don't depend on their number then.
        if (generator.IsConcurrent)
            new ComputePolicy { Threads = 1 }.Apply();
        Pace pace = new(session.Terminal, "samples", files.Todo.Sum(item => plan.PartOf(item).Samples.Count));
        int outOfReach = 0;
        session.Terminal.WithProgress(
            "samples",
            report =>
                new SynthesisJob(files, plan, generator)
                {
                    Workers = workers,
                    DepthFor = depthFor,
                    Noted = (sample, note) => session.Terminal.Say($"{sample.Source.Path}: {note}."),
                    Made = (sample, line) =>
                    {
                        pace.Count(report);
                        if (line["note"] is { } note)
                        {
                            Interlocked.Increment(ref outOfReach);
                            session.Terminal.Detail($"{sample.Id}: {note}.");
                        }
                        if (session.Terminal.Json)
                            lock (pace)
                                session.Terminal.PrintJson(line.DeepClone().AsObject());
                    },
                }.Run(),
            () => pace.Line
        );
        bool whole = files.Failures.Count == 0 && SetManifest.Close(plan);
        if (pace.Done > 0)
            session.Terminal.Say(pace.Line);
        if (outOfReach > 0)
            session.Terminal.Say(
                $"{outOfReach} of {pace.Done} samples could not be as strong as asked: the nearest was made, and the list notes it."
            );
        session.Terminal.Say(
            whole ? $"{output}: {plan.Samples.Count} samples of {sources.Count} pictures, complete." : $"{output}: not complete yet."
        );
        return JobConsole.Finish(session, files);
    }

    private static Func<string, string?> DepthMaps(string? path)
    {
        if (path is null)
            return static _ => null;
        if (File.Exists(path))
            return _ => path;
        if (!Directory.Exists(path))
            throw new UsageException("There are no depth maps", path, "Name a folder or a file with --depth");
        ILookup<string?, string> maps = Directory
            .EnumerateFiles(path)
            .Where(InputFiles.IsPicture)
            .ToLookup(Path.GetFileNameWithoutExtension);
        return file => maps[Path.GetFileNameWithoutExtension(file)].FirstOrDefault();
    }
}
