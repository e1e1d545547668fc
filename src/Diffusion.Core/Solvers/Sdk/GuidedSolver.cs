using Diffusion.Runtime;
using Diffusion.Sampling;
using Diffusion.Settings;

namespace Diffusion.Solvers;

/// <summary>
/// What the guided samplers of the literature share: they walk down a variance-preserving schedule, x_t = sqrt(abar_t) x0 + sqrt(1 -
/// abar_t) n, at integer times
/// and correct the network's estimate of x0 on the way.
/// </summary>
/// <remarks>Pictures are [N,C,H,W] on [-1,1]. Tensors that are given are borrowed; the caller owns those that methods return.</remarks>
public abstract record GuidedSolver : Solver
{
    /// <summary>Times that are visited.</summary>
    [Setting(Symbol = "T", Min = 1, Max = 1000)]
    public int Steps
    {
        get;
        init => field = Setting.Check<GuidedSolver>(value);
    } = 16;

    /// <summary>
    /// First noise level on [-1,1], added to the operator's first guess; auto (null): the walk begins in pure noise and is spaced as in
    /// the paper.
    /// </summary>
    [Setting(Min = 1e-3, Max = 200)]
    public double? SigmaStart
    {
        get;
        init => field = Setting.Check<GuidedSolver>(value);
    }

    /// <summary>
    /// Last noise level on [-1,1], where <see cref="SigmaStart"/> is given; the levels between are equally spaced in the logarithm.
    /// </summary>
    [Setting(Min = 1e-3, Max = 200)]
    public double SigmaEnd
    {
        get;
        init => field = Setting.Check<GuidedSolver>(value);
    } = 0.04;

    /// <summary>
    /// How much of each level's noise is really there: 1 samples the posterior as the papers do, 0 heads for the posterior's mean.
    /// </summary>
    /// <remarks>
    /// At 0 no noise is carried at all: the network takes the errors that are left for noise, and the walk, always alike, ends nearer to
    /// the truth than a sample.
    /// </remarks>
    [Setting(Min = 0, Max = 1)]
    public double Temperature
    {
        get;
        init => field = Setting.Check<GuidedSolver>(value);
    } = 1;

    /// <summary>Whether abar is rounded as the published code's float32 tables are: that shows near sigma 0.01.</summary>
    [Setting]
    public bool PublishedTables { get; init; }

    /// <summary>The times to visit, highest first, in place of all spacing; null: spaced as said above.</summary>
    public IReadOnlyList<int>? Times { get; init; }

    /// <summary>The schedule to walk down with priors that have none of their own.</summary>
    public NoiseSchedule Schedule { get; init; } = NoiseSchedule.Linear();

    /// <inheritdoc/>
    public override int Evaluations => Count;

    /// <inheritdoc/>
    public override void Check()
    {
        if (SigmaStart < SigmaEnd)
            throw new ArgumentException(
                FormattableString.Invariant($"sigma-start must not be below sigma-end ({SigmaEnd}), not {SigmaStart}.")
            );
    }

    /// <inheritdoc/>
    protected sealed override Tensor Restore(SolverRun run) => Restore(new VpRun(run, run.Schedule ?? Schedule, PublishedTables));

    /// <inheritdoc/>
    protected override int Moves => Count;

    /// <summary>Number of times that are visited.</summary>
    protected int Count => Times?.Count ?? (SigmaStart is null ? PaperTimes(Schedule.Steps).Length : Steps);

    /// <summary>The times as the paper spaces them, ascending.</summary>
    protected abstract int[] PaperTimes(int total);

    /// <summary>The algorithm, on [-1,1].</summary>
    protected abstract Tensor Restore(VpRun run);

    /// <summary>The times of this run, highest first.</summary>
    /// <exception cref="ArgumentException">The prior's schedule gives other than <see cref="Count"/> times.</exception>
    protected int[] Ladder(VpRun run)
    {
        int[] times =
            Times is not null ? [.. Times]
            : SigmaStart is { } start
                ?
                [
                    .. NoiseLadders
                        .Clamped(NoiseLadders.Geometric(start, SigmaEnd, Steps), run.NoiseRange)
                        .Select(sigma => (int)run.Schedule.TimeOf(sigma, TimeMode.Nearest)),
                ]
            : [.. PaperTimes(run.Schedule.Steps).Reverse()];
        return times.Length == Count
            ? times
            : throw new ArgumentException(
                $"The paper's steps through the prior's {run.Schedule.Steps} times are {times.Length}, not {Count}. Set sigma-start."
            );
    }

    /// <summary>x_T: pure noise, or noise on top of the operator's first guess where the walk begins below it.</summary>
    protected Tensor FirstIterate(VpRun run, int t)
    {
        if (SigmaStart is null)
            return run.Draw(NoiseRole.Start);
        return Math.Sqrt(run.AlphaBar(t)) * run.A.Guess(run.Y, run.Request) + Math.Sqrt(1 - run.AlphaBar(t)) * Draw(run, NoiseRole.Start);
    }

    /// <summary>Noise in the shape of the picture, at the temperature; nothing is drawn at 0.</summary>
    protected Tensor Draw(VpRun run, NoiseRole role) =>
        Temperature > 0 ? Temperature * run.Draw(role) : torch.zeros(run.A.Input.Batch(run.Y.shape[0]), device: run.Y.device);
}
