using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Diffusion.Cli.Options;
using Diffusion.Cli.Shell;
using Diffusion.Networks;
using Diffusion.Pipeline;
using Diffusion.Runtime;
using Diffusion.Training;

namespace Diffusion.Cli.Verbs;

/// <summary>What the verbs that train have in common: photographs, a folder, a budget, progress.</summary>
internal abstract class TrainingVerb : Verb
{
    private readonly Argument<string[]> _photos;
    private readonly Option<string?> _output,
        _name;
    private readonly Option<string[]> _validation;
    private readonly Option<double?> _hours,
        _rate;
    private readonly Option<double> _decay,
        _save;
    private readonly Option<int?> _steps,
        _warmup,
        _hold,
        _threads;
    private readonly Option<string> _dtype;
    private readonly Option<ulong> _seed;
    private readonly Option<bool> _upright;

    protected TrainingVerb(string name, string description, string fromDescription)
        : base(name, description)
    {
        Here = "diffusion train " + name;
        _photos = Take(
            new Argument<string[]>("photos")
            {
                HelpName = "PHOTO...",
                Description = "Photographs: files, folders, globs",
                Arity = ArgumentArity.OneOrMore,
            }
        );
        _output = Take(
            new Option<string?>("--output", "-o")
            {
                HelpName = "DIR",
                Description = "Folder of the run: its state, loss.csv and .png, validation.csv and .png, and the prior itself",
            }
        );
        From = Take(new Option<string?>("--from") { HelpName = "PRIOR", Description = fromDescription });
        _hours = Take(new Option<double?>("--hours") { HelpName = "H", Description = "Time to train, over all interruptions" });
        _steps = Take(
            new Option<int?>("--steps")
            {
                HelpName = "N",
                Description = "Steps to train, instead of --hours; exactly repeatable",
                CustomParser = Values.AtLeast(1, "steps"),
            }
        );
        _decay = Take(
            new Option<double>("--decay")
            {
                HelpName = "SHARE",
                Description = "Last part of the run in which the learning rate falls to zero",
                DefaultValueFactory = _ => 0.2,
            }
        );
        _validation = Take(
            new Option<string[]>("--validation")
            {
                HelpName = "PHOTO...",
                Description = "Photographs to validate on, never trained on",
                DefaultValueFactory = _ => [],
                AllowMultipleArgumentsPerToken = true,
            }
        );
        _hold = Take(
            new Option<int?>("--hold-out")
            {
                HelpName = "N",
                Description = "Without --validation: hold out this many of the photographs (12, or a tenth of a small set)",
                CustomParser = Values.AtLeast(0, "photographs"),
            }
        );
        _rate = Take(
            new Option<double?>("--rate") { HelpName = "R", Description = "Learning rate of the trunk (7e-4; 2.5e-4 with --from)" }
        );
        _warmup = Take(
            new Option<int?>("--warm-up")
            {
                HelpName = "N",
                Description = "Steps until the full rate (500; 100 with --from)",
                CustomParser = Values.AtLeast(0, "steps"),
            }
        );
        _save = Take(
            new Option<double>("--save-every")
            {
                HelpName = "MINUTES",
                Description = "Time between saved states",
                DefaultValueFactory = _ => 4,
            }
        );
        _name = Take(new Option<string?>("--name") { HelpName = "NAME", Description = "Name of the prior (the folder's)" });
        _threads = Take(
            new Option<int?>("--threads")
            {
                HelpName = "N",
                Description = "Threads to compute with",
                CustomParser = Values.AtLeast(1, "threads"),
            }
        );
        _dtype = Take(
            new Option<string>("--dtype")
            {
                HelpName = "auto|fp32|bf16",
                Description = "Number format of the convolutions",
                DefaultValueFactory = _ => "auto",
            }.AcceptOnlyFromAmong("auto", "fp32", "bf16")
        );
        _seed = Take(
            new Option<ulong>("--seed")
            {
                HelpName = "N",
                Description = "Seed of weights, crops and noise",
                CustomParser = Values.Seed,
                DefaultValueFactory = _ => 1UL,
            }
        );
        _upright = Take(
            new Option<bool>("--upright") { Description = "The pictures have an upright (faces, rooms): mirror them, but never turn them" }
        );
    }

    /// <summary>What messages call this command.</summary>
    protected string Here { get; }

    /// <summary>The prior to start from.</summary>
    protected Option<string?> From { get; }

    /// <summary>The network that is trained.</summary>
    protected abstract AdmUNetConfig Architecture(Session session);

    /// <summary>The architecture of the prior to tune, which must predict the noise.</summary>
    protected AdmUNetConfig EpsilonArchitecture(Session session)
    {
        (AdmUNetConfig architecture, bool edm) = TrainingRun.StartOf(
            session.Get(From) ?? throw new UsageException("--from is missing", Here, "Name the prior to tune, for example --from photo")
        );
        return edm ? throw new UsageException("The prior to tune must predict the noise", Here, "Train one without --edm") : architecture;
    }

    /// <summary>What this verb changes in the settings.</summary>
    protected virtual TrainingSettings Adapt(TrainingSettings settings, Session session) => settings;

    public override ExitCode Run(Session session)
    {
        TrainingPlan plan = UsageException.Guard(() => Plan(session));
        using TrainingRun run = new(plan);
        session.Terminal.Say(
            $"{plan.Photos.Count} photographs to train on, {plan.Validation.Count} to validate on, "
                + $"{run.State.Layout.Length / 1e6:0.00} million parameters"
                + (run.State.Step > 0 ? $"; going on at step {run.State.Step}" : "")
        );
        bool spent = run.Run(
            p =>
                session.Terminal.Say(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"step {p.State.Step}: loss {p.Loss:0.0000}, gradient {p.GradientNorm:0.00}, rate {p.Rate:0.0e0}, "
                            + $"{p.PixelsPerSecond / 1e6:0.000} Mpixel/s, {p.Left.TotalHours:0.0} h left"
                    )
                ),
            rows => Print(session.Terminal, run.State, rows),
            session.Cancellation
        );
        session.Terminal.Say(
            spent ? $"Done: {Path.Combine(plan.Folder, "prior")}" : $"Stopped at step {run.State.Step}; the same command goes on from here."
        );
        return ExitCode.Done;
    }

    private TrainingPlan Plan(Session session)
    {
        string folder = session.Get(_output) ?? throw new UsageException("-o is missing", Here, "Name a folder for the run");
        (double? hours, int? steps) = (session.Get(_hours), session.Get(_steps));
        if ((hours is null) == (steps is null) || hours is <= 0)
            throw new UsageException("Give either --hours or --steps", Here, "Say how long to train, for example --hours 2");
        if (session.Get(_decay) is not (> 0 and <= 1))
            throw new UsageException("--decay must be above 0 and at most 1", Here, "Take 0.2");
        bool fresh = session.Get(From) is null;
        IReadOnlyList<string> photos = InputFiles.Expand(session.Get(_photos)),
            validation = session.Get(_validation) is { Length: > 0 } words ? InputFiles.Expand(words) : [];
        if (validation.Count == 0)
            (photos, validation) = TrainingPhotos.HoldOut(photos, session.Get(_hold) ?? Math.Min(12, photos.Count / 10));
        else
            photos = [.. photos.Except(validation)];
        TrainingSettings settings = Adapt(
            new TrainingSettings
            {
                Seed = session.Get(_seed),
                Upright = session.Get(_upright),
                Policy = ComputePolicy.Choose("cpu", session.Get(_dtype)!),
            },
            session
        );
        return new TrainingPlan
        {
            Photos = photos,
            Validation = validation,
            Folder = folder,
            Name = session.Get(_name) ?? Path.GetFileName(Path.GetFullPath(folder).TrimEnd(Path.DirectorySeparatorChar)),
            Budget = new TrainingBudget(steps, hours, session.Get(_decay)),
            Architecture = Architecture(session),
            Start = session.Get(From),
            Rate = session.Get(_rate) ?? (fresh ? 7e-4 : 2.5e-4),
            WarmupSteps = session.Get(_warmup) ?? (fresh ? 500 : 100),
            Settings = session.Get(_threads) is { } threads ? settings with { Workers = threads } : settings,
            SaveEvery = TimeSpan.FromMinutes(Math.Clamp(session.Get(_save), 0, 1e6)),
            Command = Here + " " + string.Join(' ', session.Parse.Tokens.Skip(2).Select(token => token.Value)),
        };
    }

    private static void Print(Terminal terminal, TrainingState state, IReadOnlyList<ValidationRow> rows)
    {
        if (rows.Count == 0)
            return;
        if (terminal.Json)
            terminal.PrintJson(
                new JsonObject
                {
                    ["step"] = state.Step,
                    ["crops"] = state.Crops,
                    ["hours"] = state.Seconds / 3600,
                    ["validation"] = TrainValidateVerb.ToJson(rows),
                }
            );
        else
            terminal.Print(
                string.Create(CultureInfo.InvariantCulture, $"step {state.Step}, {state.Seconds / 3600:0.00} h: ")
                    + string.Join(
                        ", ",
                        rows.Select(r => string.Create(CultureInfo.InvariantCulture, $"{r.Psnr:0.00} dB at {r.Sigma * 127.5:0}"))
                    )
            );
    }
}
