using System.CommandLine;

namespace Diffusion.Cli.Options;

/// <summary>What restores: a prior with operator, noise and solver, or a model that needs none of them.</summary>
internal sealed class WayOptions
{
    /// <summary>What was measured.</summary>
    public ProblemOptions Problem { get; } = new();

    /// <summary>How its files are read.</summary>
    public ReadingOptions Reading { get; } = new();

    /// <summary>How it is solved, and the seed.</summary>
    public SolverOptions Solver { get; } = new();

    /// <summary>A restoration method by its name.</summary>
    public Option<string?> Model { get; } =
        new("--model")
        {
            HelpName = "NAME|FILE",
            Description =
                "A restoration method (osdface, or one of --plugin), or the weights of a network that restores (a NAFNet's file or its "
                + "name in checkpoints list), instead of operator, noise, solver and prior",
        };

    /// <summary>Single settings of it.</summary>
    public Option<Dictionary<string, string>?> ModelSet { get; } =
        new("--model-set")
        {
            HelpName = "KEY=VALUE",
            Description = "A setting of the model; repeatable",
            Arity = ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = false,
            CustomParser = Values.Pairs,
        };

    /// <summary>The class.</summary>
    public Option<int?> Label { get; } =
        new("--class")
        {
            HelpName = "N",
            Description = "The class, for class-conditional priors",
            CustomParser = Values.AtLeast(0, "classes"),
        };

    /// <summary>The classes.</summary>
    public Option<string?> Classes { get; } =
        new("--classes") { HelpName = "FILE", Description = "Lines of NAME CLASS, for class-conditional priors" };

    /// <summary>Restorations per picture.</summary>
    public Option<int?> Samples { get; } =
        new("--samples")
        {
            HelpName = "N",
            Description = "N restorations by different draws, with their mean and spread",
            CustomParser = Values.AtLeast(1, "samples"),
        };

    /// <summary>Those that mean nothing to a model.</summary>
    public IReadOnlyList<Option> NotForModels =>
        [
            Problem.Operator,
            Problem.Noise,
            Problem.NoiseMap,
            Problem.CropToFit,
            Problem.ResizeMask,
            Solver.Solver,
            Solver.Prior,
            Solver.Steps,
            Solver.Preset,
            Solver.Set,
            Label,
            Classes,
        ];

    /// <summary>Adds them to a verb.</summary>
    public WayOptions AddTo(Command command)
    {
        Problem.AddTo(command);
        Reading.AddTo(command, depth: true);
        Solver.AddTo(command);
        foreach (Option option in (Option[])[Model, ModelSet, Samples, Label, Classes])
            command.Add(option);
        return this;
    }
}
