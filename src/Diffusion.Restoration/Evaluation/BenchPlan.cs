using Diffusion.Inverse;
using Diffusion.Numerics;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.Solvers;

namespace Diffusion.Evaluation;

/// <summary>What a benchmark measures: every combination of its lists, on every picture.</summary>
public sealed record BenchPlan
{
    /// <summary>The report's title.</summary>
    public string Title { get; init; } = "Benchmark";

    /// <summary>Files of clean pictures. Their names without folder must differ.</summary>
    public IReadOnlyList<string> Pictures { get; init; } = [];

    /// <summary>The sizes that they are brought to.</summary>
    public IReadOnlyList<BenchSize> Sizes { get; init; } = [BenchSize.Native];

    /// <summary>The degradations.</summary>
    public IReadOnlyList<BenchOperator> Operators { get; init; } = [];

    /// <summary>Noise levels on [0,1] of the operators that have none of their own.</summary>
    public IReadOnlyList<double> Noise { get; init; } = [0.02];

    /// <summary>The algorithms.</summary>
    public IReadOnlyList<BenchSolver> Solvers { get; init; } = [];

    /// <summary>Priors by name or file.</summary>
    public IReadOnlyList<string> Priors { get; init; } = ["photo"];

    /// <summary>Most network evaluations, for the solvers that have no list of their own; null leaves the number to the preset.</summary>
    public IReadOnlyList<int?> Steps { get; init; } = [null];

    /// <summary>Seeds of measurement and solver.</summary>
    public IReadOnlyList<ulong> Seeds { get; init; } = [0];

    /// <summary>Runs of each restoration; the time is their median.</summary>
    public int Repeat
    {
        get;
        init => field = value >= 1 ? value : throw new ArgumentException($"repeat must be at least 1, not {value}.");
    } = 1;

    /// <summary>Pixels that metrics leave out on each side.</summary>
    public int Border
    {
        get;
        init => field = value >= 0 ? value : throw new ArgumentException($"border must be 0 or more, not {value}.");
    }

    /// <summary>
    /// Pixels on each side that are measured but not restored: blur then brings in what lies beyond the restored picture, as in a camera,
    /// and no boundary rule is right by construction.
    /// </summary>
    public int Margin
    {
        get;
        init => field = value >= 0 ? value : throw new ArgumentException($"margin must be 0 or more, not {value}.");
    }

    /// <summary>Whether classical restorations are measured as well.</summary>
    public bool Baselines { get; init; } = true;

    /// <summary>How many pictures the report shows before and after.</summary>
    public int Shown
    {
        get;
        init => field = value >= 0 ? value : throw new ArgumentException($"shown must be 0 or more, not {value}.");
    } = 3;

    /// <summary>Operators and noise levels, in order.</summary>
    public IReadOnlyList<BenchTask> Tasks =>
        [.. Operators.SelectMany(a => (a.Noise ?? Noise).Select(noise => new BenchTask(a.Spec, noise)))];

    /// <summary>Checks names and values without loading anything.</summary>
    /// <returns>This plan.</returns>
    /// <exception cref="DiffusionException">An operator is unknown or impossible, or there is nothing to measure.</exception>
    /// <exception cref="ArgumentException">A solver, preset or setting is unknown, or two pictures share a name.</exception>
    public BenchPlan Checked(OperatorCatalog operators, SolverCatalog solvers)
    {
        if (Operators.Count == 0)
            throw new ArgumentException("There is no operator. Name one, for example \"downsample:factor=4\".");
        if (Solvers.Count == 0 && !Baselines)
            throw new ArgumentException("There is no solver, and no baseline is wanted. Name a solver.");
        if (Pictures.Count == 0)
            throw new ArgumentException("There is no picture.");
        if (Pictures.GroupBy(Path.GetFileName).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new ArgumentException($"Two pictures are named {twice.Key}: {string.Join(", ", twice)}. Rename one of them.");
        foreach (BenchSolver solver in Solvers)
            solver.Check(solvers);
        foreach (BenchOperator a in Operators)
            operators.Parse(a.Spec);
        return this;
    }

    /// <summary>The measurements that are made: one job for each picture, size, degradation and seed.</summary>
    internal IEnumerable<BenchJob> Jobs(FileHashes hashes) =>
        from file in Pictures
        from size in Sizes
        from task in Tasks
        from seed in Seeds
        select new BenchJob(
            file,
            size,
            new BenchCell
            {
                Picture = Path.GetFileName(file),
                PictureSha = hashes.Short(file),
                Size = size.ToString(),
                Operator = task.Operator,
                Noise = task.Noise,
                Seed = seed,
                Border = Border,
                Margin = Margin,
            }
        );

    /// <summary>The restorations of one job.</summary>
    internal IEnumerable<(BenchCell Cell, BenchSolver Solver)> Cells(BenchJob job, Func<string, string> priorSha, string dtype) =>
        from prior in Priors
        from solver in Solvers
        from steps in solver.Steps ?? Steps
        select (
            job.Measured with
            {
                Method = solver.Name,
                Preset = solver.Preset ?? "",
                Set = solver.SetText,
                Prior = Path.GetFileNameWithoutExtension(prior) is { Length: > 0 } name ? name : prior,
                PriorSha = priorSha(prior),
                PriorPath = prior,
                Steps = steps,
                Dtype = dtype,
            },
            solver
        );
}

/// <summary>An operator of a plan.</summary>
/// <param name="Spec">Its spec.</param>
/// <param name="Noise">Its own noise levels; null: the plan's.</param>
public sealed record BenchOperator(string Spec, IReadOnlyList<double>? Noise = null);

/// <summary>A degradation: operator and noise.</summary>
/// <param name="Operator">Its spec as it was written.</param>
/// <param name="Noise">Standard deviation on [0,1].</param>
public readonly record struct BenchTask(string Operator, double Noise);

/// <summary>One measurement of one picture, and the part of its cells' identity that is known before a method is chosen.</summary>
internal sealed record BenchJob(string File, BenchSize Size, BenchCell Measured);
