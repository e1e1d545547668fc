using System.CommandLine;

namespace Diffusion.Cli.Options;

/// <summary>How it is solved.</summary>
internal sealed class SolverOptions
{
    /// <summary>The algorithm.</summary>
    public Option<string> Solver { get; } =
        new("--solver", "-s")
        {
            HelpName = "NAME",
            Description = "The algorithm (diffusion solvers list)",
            DefaultValueFactory = _ => Restoration.SolverTable.Auto,
        };

    /// <summary>The prior.</summary>
    public Option<string> Prior { get; } =
        new("--prior", "-p")
        {
            HelpName = "NAME|FILE",
            Description = "A prior by name, or any checkpoint file",
            DefaultValueFactory = _ => "photo",
        };

    /// <summary>Network evaluations.</summary>
    public Option<int?> Steps { get; } =
        new("--steps", "-n")
        {
            HelpName = "N",
            Description = "At most N network evaluations",
            CustomParser = Values.AtLeast(1, "evaluations"),
        };

    /// <summary>The preset.</summary>
    public Option<string?> Preset { get; } =
        new("--preset") { HelpName = "NAME", Description = "A preset of the solver (diffusion solvers show NAME)" };

    /// <summary>Single settings.</summary>
    public Option<Dictionary<string, string>?> Set { get; } =
        new("--set")
        {
            HelpName = "KEY=VALUE",
            Description = "A setting of the solver; repeatable",
            Arity = ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = false,
            CustomParser = Values.Pairs,
        };

    /// <summary>The seed.</summary>
    public Option<ulong> Seed { get; } =
        new("--seed")
        {
            HelpName = "N",
            Description = "Seed of the solver's noise",
            CustomParser = Values.Seed,
            DefaultValueFactory = _ => 0UL,
        };

    /// <summary>Adds them to a verb.</summary>
    public SolverOptions AddTo(Command command)
    {
        foreach (Option option in (Option[])[Solver, Prior, Steps, Preset, Set, Seed])
            command.Add(option);
        return this;
    }
}
