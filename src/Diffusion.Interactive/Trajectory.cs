using Diffusion.Runtime;

namespace Diffusion.Interactive;

/// <summary>A solver's way to its result: what it calls one name at each step, kept while it runs.</summary>
/// <remarks>
/// <code>
/// using Trajectory way = new("x0");
/// solver.Solve(problem, prior, new SolverContext { Noise = noise, Trace = way.Add });
/// Notebook.Show(way);
/// </code>
/// </remarks>
/// <param name="name">The intermediate that is kept, as the solver names it: <c>x0</c> in most.</param>
public sealed class Trajectory(string name = "x0") : IShow, IDisposable
{
    private readonly List<Tensor> _states = [];

    /// <summary>What was kept, [N,C,H,W] on the solver's [-1,1]; owned by the trajectory.</summary>
    public IReadOnlyList<Tensor> States => _states;

    /// <summary>Takes an intermediate: give it to <see cref="Solvers.SolverContext.Trace"/>.</summary>
    /// <param name="intermediate">Its name.</param>
    /// <param name="value">[N,C,H,W]; borrowed.</param>
    public void Add(string intermediate, Tensor value)
    {
        if (intermediate == name)
            _states.Add(value.detach().cpu().clone().DetachFromDisposeScope());
    }

    /// <summary>The first picture's states, in order.</summary>
    public View Show()
    {
        using ComputeScope scope = new();
        return ViewOf.Row([.. _states.Select((state, k) => ($"{name}, step {k + 1}", (object)((state[0] + 1) / 2).unsqueeze(0)))]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _states.ForEach(state => state.Dispose());
        _states.Clear();
    }
}
