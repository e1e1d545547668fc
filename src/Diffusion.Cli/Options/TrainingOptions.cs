using System.CommandLine;
using Diffusion.Cli.Shell;
using Diffusion.Pipeline;
using Diffusion.Runtime;
using Diffusion.Training;

namespace Diffusion.Cli.Options;

/// <summary>What every training is told: photographs, a folder, a budget, a pace.</summary>
internal sealed class TrainingOptions
{
    /// <summary>What is trained on.</summary>
    public Argument<string[]> Photos { get; } =
        new("photos")
        {
            HelpName = "PHOTO...",
            Description = "Photographs: files, folders, globs",
            Arity = ArgumentArity.OneOrMore,
        };

    /// <summary>Folder of the run.</summary>
    public Option<string?> Output { get; } =
        new("--output", "-o")
        {
            HelpName = "DIR",
            Description = "Folder of the run: its state, loss.csv and .png, validation.csv and .png, and the prior itself",
        };

    /// <summary>Time.</summary>
    public Option<double?> Hours { get; } = new("--hours") { HelpName = "H", Description = "Time to train, over all interruptions" };

    /// <summary>Or steps.</summary>
    public Option<int?> Steps { get; } =
        new("--steps")
        {
            HelpName = "N",
            Description = "Steps to train, instead of --hours; exactly repeatable",
            CustomParser = Values.AtLeast(1, "steps"),
        };

    /// <summary>Last part, in which the rate falls.</summary>
    public Option<double> Decay { get; } =
        new("--decay")
        {
            HelpName = "SHARE",
            Description = "Last part of the run in which the learning rate falls to zero",
            DefaultValueFactory = _ => 0.2,
        };

    /// <summary>What is only validated on.</summary>
    public Option<string[]> Validation { get; } =
        new("--validation")
        {
            HelpName = "PHOTO...",
            Description = "Photographs to validate on, never trained on",
            DefaultValueFactory = _ => [],
            AllowMultipleArgumentsPerToken = true,
        };

    /// <summary>Or how much of the first is.</summary>
    public Option<int?> HoldOut { get; } =
        new("--hold-out")
        {
            HelpName = "N",
            Description = "Without --validation: hold out this many of the photographs (12, or a tenth of a small set)",
            CustomParser = Values.AtLeast(0, "photographs"),
        };

    /// <summary>The learning rate.</summary>
    public Option<double?> Rate { get; } =
        new("--rate") { HelpName = "R", Description = "Learning rate of the trunk (7e-4; 2.5e-4 with --from)" };

    /// <summary>Its warm-up.</summary>
    public Option<int?> WarmUp { get; } =
        new("--warm-up")
        {
            HelpName = "N",
            Description = "Steps until the full rate (500; 100 with --from)",
            CustomParser = Values.AtLeast(0, "steps"),
        };

    /// <summary>Time between saved states.</summary>
    public Option<double> SaveEvery { get; } =
        new("--save-every")
        {
            HelpName = "MINUTES",
            Description = "Time between saved states",
            DefaultValueFactory = _ => 4,
        };

    /// <summary>Name of what is trained.</summary>
    public Option<string?> Name { get; } = new("--name") { HelpName = "NAME", Description = "Name of the prior (the folder's)" };

    /// <summary>Threads.</summary>
    public Option<int?> Threads { get; } =
        new("--threads")
        {
            HelpName = "N",
            Description = "Threads to compute with",
            CustomParser = Values.AtLeast(1, "threads"),
        };

    /// <summary>Number format.</summary>
    public Option<string> Dtype { get; } =
        new Option<string>("--dtype")
        {
            HelpName = "auto|fp32|bf16",
            Description = "Number format of the convolutions",
            DefaultValueFactory = _ => "auto",
        }.AcceptOnlyFromAmong("auto", "fp32", "bf16");

    /// <summary>The seed.</summary>
    public Option<ulong> Seed { get; } =
        new("--seed")
        {
            HelpName = "N",
            Description = "Seed of weights, crops and noise",
            CustomParser = Values.Seed,
            DefaultValueFactory = _ => 1UL,
        };

    /// <summary>Adds them to a verb.</summary>
    public TrainingOptions AddTo(Command command)
    {
        command.Add(Photos);
        foreach (
            Option option in (Option[])
                [Output, Hours, Steps, Decay, Validation, HoldOut, Rate, WarmUp, SaveEvery, Name, Threads, Dtype, Seed]
        )
            command.Add(option);
        return this;
    }

    /// <summary>The folder of the run.</summary>
    public string FolderOf(Session session, string here) =>
        session.Get(Output) ?? throw new UsageException("-o is missing", here, "Name a folder for the run");

    /// <summary>The name of what is trained.</summary>
    public string NameOf(Session session, string folder) =>
        session.Get(Name) ?? Path.GetFileName(Path.GetFullPath(folder).TrimEnd(Path.DirectorySeparatorChar));

    /// <summary>When it ends.</summary>
    public TrainingBudget BudgetOf(Session session, string here)
    {
        (double? hours, int? steps) = (session.Get(Hours), session.Get(Steps));
        if ((hours is null) == (steps is null) || hours is <= 0)
            throw new UsageException("Give either --hours or --steps", here, "Say how long to train, for example --hours 2");
        if (session.Get(Decay) is not (> 0 and <= 1))
            throw new UsageException("--decay must be above 0 and at most 1", here, "Take 0.2");
        return new TrainingBudget(steps, hours, session.Get(Decay));
    }

    /// <summary>The files to train on, and those to validate on.</summary>
    public (IReadOnlyList<string> Photos, IReadOnlyList<string> Validation) FilesOf(Session session)
    {
        IReadOnlyList<string> photos = InputFiles.Expand(session.Get(Photos)),
            validation = session.Get(Validation) is { Length: > 0 } words ? InputFiles.Expand(words) : [];
        return validation.Count == 0
            ? TrainingPhotos.HoldOut(photos, session.Get(HoldOut) ?? Math.Min(12, photos.Count / 10))
            : ([.. photos.Except(validation)], validation);
    }

    /// <summary>Seed, number format and threads.</summary>
    public TrainingSettings SettingsOf(Session session)
    {
        TrainingSettings settings = new() { Seed = session.Get(Seed), Policy = ComputePolicy.Choose("cpu", session.Get(Dtype)!) };
        return session.Get(Threads) is { } threads ? settings with { Workers = threads } : settings;
    }

    /// <summary>Time between saved states.</summary>
    public TimeSpan SaveEveryOf(Session session) => TimeSpan.FromMinutes(Math.Clamp(session.Get(SaveEvery), 0, 1e6));

    /// <summary>The command line, for the card.</summary>
    public static string CommandOf(Session session, string here) =>
        here + " " + string.Join(' ', session.Parse.Tokens.Skip(2).Select(token => token.Value));

    /// <summary>A line of progress.</summary>
    public static string LineOf(TrainingProgress p) =>
        FormattableString.Invariant($"step {p.State.Step}: loss {p.Loss:0.0000}, gradient {p.GradientNorm:0.00}, rate {p.Rate:0.0e0}, ")
        + FormattableString.Invariant($"{p.PixelsPerSecond / 1e6:0.000} Mpixel/s, {p.Left.TotalHours:0.0} h left");
}
