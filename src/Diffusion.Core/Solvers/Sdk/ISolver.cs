using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Runtime;

namespace Diffusion.Solvers;

/// <summary>Restores pictures from measurements with a prior, training nothing.</summary>
public interface ISolver
{
    /// <summary>Network evaluations that these settings cost per picture, exactly.</summary>
    int Evaluations { get; }

    /// <summary>Looks for settings that contradict each other, before anything heavy starts.</summary>
    /// <exception cref="ArgumentException">They do; the message says which.</exception>
    void Check() { }

    /// <summary>Solves y = A x + noise for x.</summary>
    /// <param name="problem">
    /// The problem; borrowed. Its pictures may have noise of their own: each gets what it gets alone (<see cref="Solver"/> sees to that).
    /// </param>
    /// <param name="prior">The prior; borrowed.</param>
    /// <param name="context">Noise, progress, cancellation, trace.</param>
    /// <returns>[N,C,H,W] on the range of <paramref name="problem"/>, not clipped; the caller owns it.</returns>
    Tensor Solve(InverseProblem problem, IDenoiser prior, SolverContext context);
}

/// <summary>One finished step of a solver.</summary>
/// <param name="Step">Number of the step, from 1.</param>
/// <param name="Steps">Number of steps.</param>
/// <param name="Evaluations">Network evaluations so far.</param>
/// <param name="Sigma">The noise level of the step on [-1,1].</param>
public readonly record struct SolverStep(int Step, int Steps, int Evaluations, double Sigma)
{
    /// <summary>This step of one of several runs of equal length, one after the other, as a step of them all.</summary>
    /// <param name="part">Number of the run, from 0.</param>
    /// <param name="parts">Number of runs.</param>
    /// <param name="evaluations">Network evaluations of a run.</param>
    public SolverStep Within(int part, int parts, int evaluations) =>
        this with
        {
            Step = part * Steps + Step,
            Steps = parts * Steps,
            Evaluations = part * evaluations + Evaluations,
        };
}

/// <summary>What surrounds a run of a solver.</summary>
public sealed record SolverContext
{
    /// <summary>Where random numbers come from.</summary>
    public required NoiseSource Noise { get; init; }

    /// <summary>Told synchronously after each step.</summary>
    public Action<SolverStep>? Progress { get; init; }

    /// <summary>Checked before each network evaluation.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>
    /// Handed named intermediates (<c>step0.x0</c>), borrowed for the time of the call. Costs nothing when null. In a batch of several
    /// noise levels each name begins with the pictures that it is about (<c>picture0,2.step0.x0</c>).
    /// </summary>
    public Action<string, Tensor>? Trace { get; init; }

    /// <summary>How exactly data steps without a closed form are solved; null: as float32 allows.</summary>
    public StepPrecision? Precision { get; init; }

    /// <summary>Told how data steps without a closed form went; null: nobody is.</summary>
    public SolveLog? Solves { get; init; }

    /// <summary>What surrounds the run of some of the pictures, as one of several parts.</summary>
    internal SolverContext Select(IReadOnlyList<int> pictures, int part, int parts, int evaluations) =>
        this with
        {
            Noise = Noise.Select(pictures),
            Progress = Progress is { } told ? step => told(step.Within(part, parts, evaluations)) : null,
            Trace = Trace is { } seen ? (name, value) => seen($"picture{string.Join(',', pictures)}.{name}", value) : null,
        };
}
