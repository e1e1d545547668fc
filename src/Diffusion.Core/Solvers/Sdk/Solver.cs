using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Native;
using Diffusion.Runtime;

namespace Diffusion.Solvers;

/// <summary>
/// A solver as its algorithm for one noise level, on [-1,1]. Here stands what every solver owes its caller beside that: checks, the scale
/// of the problem, memory, values that are unequally noisy, and batches whose pictures have noise of their own.
/// </summary>
/// <remarks>
/// Schedules and data steps depend on the noise. Pictures of equal noise are solved together, the groups one after the other, and each
/// picture draws what it draws alone: its result doesn't depend on the noise of the others.
/// </remarks>
public abstract record Solver : ISolver
{
    /// <inheritdoc/>
    public abstract int Evaluations { get; }

    /// <summary>Number of steps that are reported.</summary>
    protected virtual int Moves => Evaluations;

    /// <inheritdoc/>
    public virtual void Check() { }

    /// <inheritdoc/>
    public Tensor Solve(InverseProblem problem, IDenoiser prior, SolverContext context)
    {
        using FinalizerHold hold = new();
        using ComputeScope scope = new();
        Check();
        SolverRun.Require(problem, prior);
        IReadOnlyList<IReadOnlyList<int>> groups = problem.Groups();
        if (groups.Count == 1)
            return scope.Return(Run(problem, prior, context));
        Tensor result = torch.empty(problem.A.Input.Batch(problem.Batch), device: problem.Y.device);
        for (int i = 0; i < groups.Count; i++)
        {
            using DisposeScope group = torch.NewDisposeScope();
            Tensor x = Run(problem.Select(groups[i]), prior, context.Select(groups[i], i, groups.Count, Evaluations));
            result.index_copy_(0, torch.tensor([.. groups[i].Select(picture => (long)picture)], device: x.device), x);
        }
        return scope.Return(result);
    }

    /// <summary>The algorithm.</summary>
    /// <param name="run">The problem on [-1,1], with one noise level for all its pictures, and the prior.</param>
    /// <returns>[N,C,H,W] on [-1,1]; the caller owns it.</returns>
    protected abstract Tensor Restore(SolverRun run);

    private Tensor Run(InverseProblem problem, IDenoiser prior, SolverContext context)
    {
        InverseProblem white = problem.Whitened();
        using LinearOperator? own = problem.Unevenness is null ? null : white.A;
        SolverRun run = new(white, prior, context, Moves);
        return run.Finish(SureValues.GiveBack(run, Restore(run)), problem);
    }
}
