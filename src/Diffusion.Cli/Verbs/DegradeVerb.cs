using System.CommandLine;
using System.Text.Json.Nodes;
using Diffusion.Cli.Options;
using Diffusion.Cli.Shell;
using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Pipeline;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Cli.Verbs;

/// <summary><c>diffusion degrade</c>: measurements from clean pictures, with the side file that <c>restore</c> reads.</summary>
internal sealed class DegradeVerb : Verb
{
    private readonly Argument<string[]> _inputs;
    private readonly ProblemOptions _problem;
    private readonly ReadingOptions _reading;
    private readonly OutputOptions _output;
    private readonly JobOptions _job;
    private readonly Option<ulong> _seed;
    private readonly Option<bool> _clip;

    public DegradeVerb()
        : base("degrade", "Make measurements from clean images, with a side file that restore reads")
    {
        _inputs = Take(
            new Argument<string[]>("input")
            {
                HelpName = "INPUT...",
                Description = "Pictures: files, folders, globs, or - for standard input",
                Arity = ArgumentArity.OneOrMore,
            }
        );
        _problem = new ProblemOptions().AddTo(this);
        _reading = new ReadingOptions().AddTo(this, depth: false);
        _output = new OutputOptions().AddTo(this);
        _job = new JobOptions().AddTo(this);
        _seed = Take(
            new Option<ulong>("--seed")
            {
                HelpName = "N",
                Description = "Seed of the noise",
                CustomParser = Values.Seed,
                DefaultValueFactory = _ => 0UL,
            }
        );
        _clip = Take(new Option<bool>("--clip") { Description = "Clip to [0,1] and quantise, as a camera would" });
    }

    public override IReadOnlyList<string> Examples =>
        [
            "diffusion degrade photo.png -A \"downsample:factor=4\" --noise 0.02 -o small.tif",
            "diffusion degrade photos/ -A \"blur:sigma=2\" --noise 5/255 -o blurred/",
            "diffusion degrade photo.png -A \"mask:random=0.8,seed=1\" --noise 0.02 -o holes.png",
            "diffusion degrade photos/ -A \"blur:sigma=2\" --noise 0.02 -o blurred/ --shard 1/4 --resume",
        ];

    public override ExitCode Run(Session session)
    {
        OperatorSpec spec = RestoreSettings.Operator(session, _problem, new Catalogs(session, _problem.Plugins).Operators)
            ?? throw new UsageException(
                "-A SPEC is missing",
                "diffusion degrade",
                "Say how to degrade, for example -A \"downsample:factor=4\""
            );
        using NoiseMap? map = RestoreSettings.NoiseMap(session, _problem) is { } file ? NoiseMap.Read(file) : null;
        NoiseValue typed = map is not null
            ? new(new(0), false)
            : session.Get(_problem.Noise)
                ?? throw new UsageException(
                    "--noise is missing",
                    "diffusion degrade",
                    "Give its standard deviation on the [0,1] scale; 0 for none"
                );
        if (typed.InFileUnits)
            throw new UsageException(
                "A noise level in the values of a file is for restore",
                "diffusion degrade",
                "Give it on the [0,1] scale"
            );
        if (typed.Model.IsAuto)
            throw new UsageException($"--noise {typed.Model} is for restore", "diffusion degrade", "Give a number");
        string output = session.Get(_output.Output)
            ?? throw new UsageException("-o is missing", "diffusion degrade", "Name a file or a folder");
        MeasurementOptions reading = _reading.Of(session);
        if (reading.Pages is { IsSeveral: true })
            throw new UsageException("degrade makes one measurement of a file", "--pages", "Choose one page, such as --pages 3");
        foreach (string note in spec.Notes())
            session.Terminal.Say($"{note}.");
        bool clip = session.Get(_clip),
            toStream = output == OutputPlan.StandardOutput,
            several = _job.IsOneOfSeveralRuns(session),
            overwrite = session.Get(_output.Force) || session.Get(_job.Resume);
        // What is no picture needs .npz: that is known before anything is computed.
        string extension = MakesPictures(spec)
            ? clip
                ? ".png"
                : ".tif"
            : ".npz";
        string pattern = "{name}_degraded" + extension;
        string[] words = session.Get(_inputs);
        IReadOnlyList<string> inputs = InputFiles.Expand(words);
        if (several)
            inputs = OutputPlan.WithoutResults(inputs, words, output, pattern, extension);
        OutputPlan plan = OutputPlan.Make(inputs, output, pattern, extension, overwrite, several);
        using Degrader degrader = new(spec, typed.Model, session.Get(_seed))
        {
            NoiseMap = map,
            CropToFit = session.Get(_problem.CropToFit),
            ResizesMasks = session.Get(_problem.ResizeMask),
        };
        FileHashes hashes = new();
        FileJob files = JobConsole.Watched(
            session,
            [
                .. inputs.Zip(plan.Paths, (input, path) =>
                    new JobItem(input, path, () => DegradeJob.Settings(input, path, degrader, clip, hashes, reading))
                ),
            ],
            session.Get(_job.Shard),
            session.Get(_job.Resume) ? item => DegradeJob.IsComplete(item, () => JobConsole.TellOld(session, item)) : null
        );
        string[] made = [.. files.Items.Select(item => item.Output)];
        // NAME.json belongs to one measurement: that of NAME.png does not become that of NAME.tif.
        if (!toStream)
            OutputPlan.CheckFree([.. made, .. made.Select(SideFile.PathFor)], inputs, overwrite);
        JobConsole.TellComplete(session, files);
        new DegradeJob(files, degrader)
        {
            Reading = reading,
            Clip = clip,
            Overwrite = overwrite,
            Noted = (item, note) => session.Terminal.Say($"{item.Input}: {note}."),
            Done = toStream ? null : item => Tell(session, item, degrader),
            StandardOutput = Console.OpenStandardOutput,
        }.Run();
        return JobConsole.Finish(session, files);
    }

    private static void Tell(Session session, JobItem item, Degrader degrader)
    {
        if (session.Terminal.Json)
            session.Terminal.PrintJson(
                new JsonObject
                {
                    ["input"] = item.Input,
                    ["output"] = item.Output,
                    ["operator"] = degrader.Spec.ToString(),
                    ["noise"] = degrader.NoiseMap is { } map ? $"map:{map.Name}" : degrader.Noise.ToJson(),
                    ["seed"] = degrader.Seed,
                }
            );
        else
            session.Terminal.Say($"{item.Input} -> {item.Output}");
    }

    private static bool MakesPictures(OperatorSpec spec)
    {
        const int Probe = 240;
        try
        {
            using LinearOperator a = spec.Bind(new ImageShape(3, Probe, Probe));
            return a.Output.IsImage;
        }
        catch (OperatorSpecException)
        {
            return true; // a mask or rectangle that does not fit the probe: those measure pictures
        }
    }
}
