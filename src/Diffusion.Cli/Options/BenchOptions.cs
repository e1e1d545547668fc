using System.CommandLine;
using System.CommandLine.Parsing;
using Diffusion.Cli.Shell;
using Diffusion.Evaluation;

namespace Diffusion.Cli.Options;

/// <summary>The lists of a benchmark as options; each takes the place of the bench file's.</summary>
internal sealed class BenchOptions
{
    private readonly Option<string[]> _operators = new("--operator", "-A") { HelpName = "SPEC", Description = "A degradation; repeatable" };
    private readonly Option<List<double>?> _noise = Listed("--noise", [], "S,...", "Noise levels on the [0,1] scale", BenchNumbers.Noise);
    private readonly Option<List<string>?> _solvers = Listed("--solver", ["-s"], "NAME,...", "Algorithms", name => name);
    private readonly Option<string?> _preset = new("--preset") { HelpName = "NAME", Description = "A preset of the one --solver" };
    private readonly Option<Dictionary<string, string>?> _set = new("--set")
    {
        HelpName = "KEY=VALUE",
        Description = "A setting of the one --solver; repeatable",
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = false,
        CustomParser = Values.Pairs,
    };
    private readonly Option<string[]> _priors = new("--prior", "-p") { HelpName = "NAME|FILE", Description = "A prior; repeatable" };
    private readonly Option<List<int?>?> _steps = Listed("--steps", ["-n"], "N,...", "Most network evaluations", BenchNumbers.Steps);
    private readonly Option<List<BenchSize>?> _sizes = Listed(
        "--sizes",
        [],
        "SIZE,...",
        "native, 256x256 (resized) or \"crop 256x256\"",
        BenchSize.Parse
    );
    private readonly Option<List<ulong>?> _seeds = Listed("--seeds", [], "N,...", "Seeds of measurement and solver", BenchNumbers.Seed);
    private readonly Option<int?> _repeat = new("--repeat")
    {
        HelpName = "N",
        Description = "Runs of each restoration; the time is their median",
        CustomParser = Values.AtLeast(1, "runs"),
    };
    private readonly Option<int?> _border = new("--border")
    {
        HelpName = "N",
        Description = "Pixels that metrics leave out on each side",
        CustomParser = Values.AtLeast(0, "pixels"),
    };
    private readonly Option<int?> _margin = new("--margin")
    {
        HelpName = "N",
        Description = "Pixels on each side that are measured but not restored",
        CustomParser = Values.AtLeast(0, "pixels"),
    };
    private readonly Option<int?> _shown = new("--shown")
    {
        HelpName = "N",
        Description = "Pictures that the report shows before and after",
        CustomParser = Values.AtLeast(0, "pictures"),
    };
    private readonly Option<bool> _noBaselines = new("--no-baselines") { Description = "Leave classical restorations out" };

    /// <summary>Adds them to a verb.</summary>
    public BenchOptions AddTo(Command command)
    {
        foreach (
            Option option in (Option[])
                [
                    _operators,
                    _noise,
                    _solvers,
                    _preset,
                    _set,
                    _priors,
                    _steps,
                    _sizes,
                    _seeds,
                    _repeat,
                    _border,
                    _margin,
                    _shown,
                    _noBaselines,
                ]
        )
            command.Add(option);
        return this;
    }

    /// <summary>The plan with what the user gave in place of its own.</summary>
    public BenchPlan Apply(Session session, BenchPlan plan)
    {
        List<string>? solvers = Given(session, _solvers);
        bool details = session.Has(_preset) || session.Has(_set);
        if (details && solvers is not [_])
            throw new UsageException(
                "--preset and --set belong to one solver",
                null,
                "Name it with -s, or write several into a bench file"
            );
        return plan with
        {
            Operators = session.Get(_operators) is { Length: > 0 } operators
                ? [.. operators.Select(spec => new BenchOperator(spec))]
                : plan.Operators,
            Noise = Given(session, _noise) ?? plan.Noise,
            Solvers = solvers
                ?.Select(name => new BenchSolver(name) { Preset = session.Get(_preset), Set = session.Get(_set) ?? [] })
                .ToList()
                ?? plan.Solvers,
            Priors = session.Get(_priors) is { Length: > 0 } priors ? priors : plan.Priors,
            Steps = Given(session, _steps) ?? plan.Steps,
            Sizes = Given(session, _sizes) ?? plan.Sizes,
            Seeds = Given(session, _seeds) ?? plan.Seeds,
            Repeat = session.Get(_repeat) ?? plan.Repeat,
            Border = session.Get(_border) ?? plan.Border,
            Margin = session.Get(_margin) ?? plan.Margin,
            Shown = session.Get(_shown) ?? plan.Shown,
            Baselines = plan.Baselines && !session.Get(_noBaselines),
        };
    }

    // The parser's default for a list is an empty one.
    private static List<T>? Given<T>(Session session, Option<List<T>?> option) =>
        session.Get(option) is { Count: > 0 } values ? values : null;

    private static Option<List<T>?> Listed<T>(string name, string[] aliases, string help, string about, Func<string, T> read) =>
        new(name, aliases)
        {
            HelpName = help,
            Description = about,
            CustomParser = result =>
            {
                List<T> values = [];
                foreach (
                    string word in result.Tokens.SelectMany(token =>
                        token.Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                    )
                )
                {
                    try
                    {
                        values.Add(read(word));
                    }
                    catch (ArgumentException e)
                    {
                        result.AddError(e.Message);
                        return null;
                    }
                }
                return values;
            },
        };
}
