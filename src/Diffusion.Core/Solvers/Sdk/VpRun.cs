using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Runtime;
using Diffusion.Sampling;

namespace Diffusion.Solvers;

/// <summary>
/// A run of a solver in variance-preserving terms, x_t = sqrt(abar_t) x0 + sqrt(1 - abar_t) n: the schedule, and the network's output at
/// integer times.
/// </summary>
/// <remarks>
/// Pictures, noise and network outputs are [N,C,H,W], coefficients [N,R]. Tensors that are given are borrowed; the caller owns the results,
/// and those of an open dispose scope end with it.
/// </remarks>
public sealed class VpRun
{
    private readonly SolverRun _run;
    private readonly bool _published;

    /// <summary>Starts a run.</summary>
    /// <param name="run">The run that checks, counts and reports.</param>
    /// <param name="schedule">The schedule.</param>
    /// <param name="published">Whether abar is that of the schedule's float32 tables.</param>
    public VpRun(SolverRun run, NoiseSchedule schedule, bool published)
    {
        _run = run;
        _published = published;
        Schedule = schedule;
    }

    /// <summary>The schedule.</summary>
    public NoiseSchedule Schedule { get; }

    /// <summary>y on [-1,1].</summary>
    public Tensor Y => _run.Y;

    /// <summary>The operator.</summary>
    public LinearOperator A => _run.A;

    /// <summary>How much more the surest measured value counts in <see cref="A"/> than one of mean noise.</summary>
    public double Reach => _run.Reach;

    /// <summary>What an iterative solution by <see cref="A"/> may cost in this run; handed to each of them.</summary>
    public SolveRequest Request => _run.Request;

    /// <summary>Standard deviation of the measurement noise on [-1,1].</summary>
    public double SigmaY => _run.SigmaY;

    /// <summary>Whether somebody looks at intermediates.</summary>
    public bool IsTraced => _run.IsTraced;

    /// <summary>The prior's noise levels.</summary>
    public (double Min, double Max) NoiseRange => _run.NoiseRange;

    /// <summary>abar_t; 1 for the clean picture, t = -1.</summary>
    public double AlphaBar(int t) =>
        t < 0 ? 1
        : _published ? Schedule.Published.AlphaBar[t]
        : Schedule.AlphaBar[t];

    /// <summary>sqrt((1 - abar_t)/abar_t); 0 for the clean picture.</summary>
    public double Sigma(int t) => Math.Sqrt((1 - AlphaBar(t)) / AlphaBar(t));

    /// <summary>The network's noise estimate at x_t and, where it has learned them, its variance channels.</summary>
    /// <param name="x">x_t.</param>
    /// <param name="t">t.</param>
    /// <param name="delta">The network is told the noise level (1 + delta) sigma_t.</param>
    public (Tensor Epsilon, Tensor? Variance) Predict(Tensor x, int t, double delta = 0) => _run.Predict(x, t, Schedule, delta);

    /// <summary>x0 = (x_t - sqrt(1 - abar_t) eps) / sqrt(abar_t), not clipped, and eps.</summary>
    public (Tensor X0, Tensor Epsilon) Estimate(Tensor x, int t, double delta = 0)
    {
        Tensor epsilon = Predict(x, t, delta).Epsilon;
        return (Clean(x, epsilon, t), epsilon);
    }

    /// <summary>x0 = (x_t - sqrt(1 - abar_t) eps) / sqrt(abar_t).</summary>
    public Tensor Clean(Tensor x, Tensor epsilon, int t) => (x - Math.Sqrt(1 - AlphaBar(t)) * epsilon) / Math.Sqrt(AlphaBar(t));

    /// <summary>An estimate of x0 with the way back through the network.</summary>
    /// <param name="x">x_t.</param>
    /// <param name="t">t.</param>
    /// <param name="clean">x0 from x_t and eps.</param>
    public Differentiable Differentiate(Tensor x, int t, Func<Tensor, Tensor, Tensor> clean)
    {
        using (torch.enable_grad())
        {
            Tensor leaf = x.detach().clone().requires_grad_();
            (Tensor epsilon, Tensor? variance) = Predict(leaf, t);
            Tensor x0 = clean(leaf, epsilon);
            return new Differentiable(leaf, x0, epsilon.detach(), variance?.detach());
        }
    }

    /// <summary>Gaussian noise in the shape of the picture.</summary>
    public Tensor Draw(NoiseRole role) => _run.Draw(role);

    /// <summary>Gaussian noise on <paramref name="count"/> coefficients per picture.</summary>
    public Tensor DrawCoefficients(long count) => _run.DrawCoefficients(count);

    /// <summary>Hands out an intermediate of the running step.</summary>
    public void Trace(string what, Tensor value) => _run.Trace(what, value);

    /// <summary>Hands out an intermediate of the running step that is only worth computing for a listener.</summary>
    public void Trace(string what, Func<Tensor> value)
    {
        if (!IsTraced)
            return;
        using DisposeScope scope = torch.NewDisposeScope();
        _run.Trace(what, value());
    }

    /// <summary>Hands out an intermediate that belongs to no step.</summary>
    public void TraceOnce(string name, Tensor value) => _run.TraceOnce(name, value);

    /// <summary>Ends a step: <paramref name="next"/> takes the place of <paramref name="x"/>.</summary>
    public void Advance(ref Tensor x, Tensor next, int t) => _run.Advance(ref x, next, Sigma(t));
}

/// <summary>
/// An estimate of x0 that can be pulled back through the network. Every tensor is [N,C,H,W] and belongs to the dispose scope in which it
/// was made; the caller owns what methods return.
/// </summary>
public sealed class Differentiable(Tensor leaf, Tensor x0, Tensor epsilon, Tensor? variance)
{
    private readonly Tensor _x0 = x0;

    /// <summary>x0, without gradients.</summary>
    public Tensor X0 { get; } = x0.detach();

    /// <summary>eps, without gradients.</summary>
    public Tensor Epsilon { get; } = epsilon;

    /// <summary>The variance channels, without gradients; null where the network has none.</summary>
    public Tensor? Variance { get; } = variance;

    /// <summary>J^T g with J = d x0 / d x_t. Once only.</summary>
    public Tensor PullBack(Tensor gradient) => torch.autograd.grad([_x0], [leaf], [gradient])[0].detach();
}
