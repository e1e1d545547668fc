using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Native;
using Diffusion.Runtime;
using Diffusion.Sampling;

namespace Diffusion.Solvers;

/// <summary>
/// One run of a solver on [-1,1], for pictures with one noise level: counts and guards network evaluations, draws noise, reports steps.
/// </summary>
public sealed class SolverRun
{
    private readonly IDenoiser _prior;
    private readonly SolverContext _context;
    private readonly InverseProblem _problem;
    private int _step;

    /// <summary>Brings the problem to [-1,1].</summary>
    internal SolverRun(InverseProblem problem, IDenoiser prior, SolverContext context, int steps)
    {
        _problem = problem.ToSymmetric();
        SigmaY = _problem.Noise.Common ?? throw new ArgumentException($"A run has one noise level, not {problem.Noise}.", nameof(problem));
        _prior = prior;
        _context = context;
        Steps = steps;
        Request = new SolveRequest { Precision = context.Precision?.At(SigmaY), Log = context.Solves };
    }

    /// <summary>y on [-1,1].</summary>
    public Tensor Y => _problem.Y;

    /// <summary>The operator.</summary>
    public LinearOperator A => _problem.A;

    /// <summary>Standard deviation of the noise on [-1,1].</summary>
    public double SigmaY { get; }

    /// <summary>
    /// How much more the surest measured value counts in <see cref="A"/> than one of mean noise; 1 where all are equally noisy. Gradient
    /// steps of a fixed length are shortened by it.
    /// </summary>
    public double Reach => A is WhitenedOperator whitened ? Math.Max(1, whitened.Reach) : 1;

    /// <summary>What an iterative solution by <see cref="A"/> may cost in this run; handed to each of them.</summary>
    public SolveRequest Request { get; }

    /// <summary>Number of steps.</summary>
    public int Steps { get; }

    /// <summary>Network evaluations so far.</summary>
    public int Evaluations { get; private set; }

    /// <summary>Whether somebody looks at intermediates.</summary>
    public bool IsTraced => _context.Trace is not null;

    /// <summary>The prior's own variance-preserving schedule; null where it has none.</summary>
    public NoiseSchedule? Schedule => (_prior as IVpNetwork)?.Schedule;

    /// <summary>The prior's noise levels.</summary>
    public (double Min, double Max) NoiseRange => _prior.Info.NoiseRange;

    /// <summary>The prior's estimate of x0 from x = x0 + sigma n.</summary>
    /// <returns>[N,C,H,W]; it belongs to the scope that is open.</returns>
    /// <exception cref="NumericalException">It is not finite.</exception>
    public Tensor Denoise(Tensor x, double sigma, double? networkSigma = null)
    {
        Begin();
        return Finite(_prior.Denoise(x, sigma, _problem.Condition with { NetworkSigma = networkSigma }), x, sigma);
    }

    /// <summary>
    /// As <see cref="Denoise(Tensor, double, double?)"/>, of the picture turned by one of the eight modes of <see cref="Dihedral"/>, and
    /// turned back.
    /// </summary>
    /// <returns>[N,C,H,W]; it belongs to the scope that is open.</returns>
    /// <exception cref="NumericalException">It is not finite.</exception>
    public Tensor DenoiseTurned(Tensor x, double sigma, int mode, double? networkSigma = null) =>
        mode == 0 ? Denoise(x, sigma, networkSigma) : Dihedral.TurnBack(Denoise(Dihedral.Turn(x, mode), sigma, networkSigma), mode);

    /// <summary>
    /// The network's noise estimate, and its variance channels where it has them, at x_t = sqrt(alphaBar_t) x0 + sqrt(1 - alphaBar_t) n;
    /// derived from the estimate of x0 with priors that have no such network.
    /// </summary>
    /// <param name="xt">x_t.</param>
    /// <param name="t">Integer time of <paramref name="schedule"/>.</param>
    /// <param name="schedule">The prior's own schedule, where it has one.</param>
    /// <param name="delta">The network is told the noise level (1 + delta) sigma_t.</param>
    /// <exception cref="NumericalException">It is not finite.</exception>
    public (Tensor Epsilon, Tensor? Variance) Predict(Tensor xt, int t, NoiseSchedule schedule, double delta = 0)
    {
        Begin();
        double sigma = schedule.Sigma(t),
            told = (1 + delta) * sigma;
        if (_prior is IVpNetwork network)
        {
            (Tensor epsilon, Tensor? variance) = network.Predict(
                xt,
                delta == 0 ? t : (int)schedule.TimeOf(told, TimeMode.Nearest),
                _problem.Condition
            );
            return (Finite(epsilon, xt, sigma), variance);
        }
        Tensor x = xt / Math.Sqrt(schedule.AlphaBar[t]);
        Tensor x0 = _prior.Denoise(x, sigma, delta == 0 ? _problem.Condition : _problem.Condition with { NetworkSigma = told });
        return (Finite((x - x0) / sigma, xt, sigma), null);
    }

    private void Begin()
    {
        FinalizerHold.Yield();
        _context.Cancellation.ThrowIfCancellationRequested();
        Evaluations++;
    }

    private Tensor Finite(Tensor output, Tensor x, double sigma)
    {
        FinalizerHold.Yield();
        if (IsFinite(output))
            return output;
        string where = FormattableString.Invariant($"step {_step + 1} of {Steps}, sigma {sigma:0.####}");
        throw IsFinite(x)
            ? new NumericalException(
                "The prior's network returned NaN or infinity",
                where,
                "Compute in float32 (--dtype fp32), and verify the checkpoint"
            )
            : new NumericalException(
                "The data step returned NaN or infinity",
                where,
                "Check the operator (diffusion operators check), or raise the noise level above 0 if it amplifies without bound"
            );
    }

    /// <summary>Gaussian noise in the shape of the picture, [N,C,H,W]; it belongs to the scope that is open.</summary>
    public Tensor Draw(NoiseRole role) => _context.Noise.Draw(role, A.Input.Batch(_problem.Batch)).to(Y.device);

    /// <summary>
    /// Gaussian noise on <paramref name="count"/> coefficients per picture, [N,count]; it belongs to the scope that is open.
    /// </summary>
    public Tensor DrawCoefficients(long count) => _context.Noise.Draw(NoiseRole.Spectral, _problem.Batch, count).to(Y.device);

    /// <summary>Hands out an intermediate of the running step (<c>step0.x0</c>).</summary>
    public void Trace(string what, Tensor value) => _context.Trace?.Invoke($"step{_step}.{what}", value);

    /// <summary>Hands out a number of the running step, in float32.</summary>
    public void Trace(string what, double value)
    {
        if (!IsTraced)
            return;
        using Tensor number = torch.tensor([(float)value]);
        Trace(what, number);
    }

    /// <summary>Hands out an intermediate that belongs to no step.</summary>
    public void TraceOnce(string name, Tensor value) => _context.Trace?.Invoke(name, value);

    /// <summary>Ends a step: the next iterate leaves the step's scope and takes the place of the current one.</summary>
    public void Advance(ref Tensor x, Tensor next, double sigma)
    {
        Replace(ref x, next);
        FinalizerHold.Yield();
        _step++;
        _context.Progress?.Invoke(new SolverStep(_step, Steps, Evaluations, sigma));
    }

    /// <summary>Moves <paramref name="next"/> out of the innermost scope and disposes what it replaces.</summary>
    public static void Replace(ref Tensor x, Tensor next)
    {
        if (ReferenceEquals(x, next))
            return;
        x.Dispose();
        x = next.MoveToOuterDisposeScope();
    }

    /// <summary>The result, on the scale of the problem that was given.</summary>
    /// <exception cref="NumericalException">It is not finite.</exception>
    internal Tensor Finish(Tensor x, InverseProblem problem)
    {
        if (!IsFinite(x))
            throw new NumericalException("The result holds NaN or infinity", remedy: "Check the operator (diffusion operators check)");
        return problem.FromRange(x, PixelRange.Symmetric);
    }

    // A sum is finite only if every term is: one pass, no mask.
    private static bool IsFinite(Tensor x)
    {
        using Tensor sum = x.sum();
        return float.IsFinite(sum.item<float>());
    }

    internal static void Require(InverseProblem problem, IDenoiser prior)
    {
        long[] expected = problem.A.Output.Batch(problem.Batch);
        if (!expected.AsSpan().SequenceEqual(problem.Y.shape))
            throw new ArgumentException(
                $"The measurement has shape [{string.Join(",", problem.Y.shape)}], but the operator makes "
                    + $"[{string.Join(",", expected)}]. Use the operator that it was made with."
            );
        if (problem.Unevenness is { } uneven && !(uneven.shape[0] == 1 && uneven.shape[1..].SequenceEqual(expected[1..])))
            if (!expected.AsSpan().SequenceEqual(uneven.shape))
                throw new ArgumentException(
                    $"The noise has shape [{string.Join(",", uneven.shape)}], but the operator makes [{string.Join(",", expected)}]. Give "
                        + "each measured value one standard deviation."
                );
        if (!problem.Noise.IsFor(problem.Batch))
            throw new ArgumentException($"There are noise levels for other than {problem.Batch} picture(s): {problem.Noise}.");
        PriorInfo info = prior.Info;
        if (info.Channels != problem.A.Input.Channels)
            throw new ArgumentException(
                $"Prior {info.Name} is for pictures of {info.Channels} channel(s), but the operator takes "
                    + $"{problem.A.Input.Channels}. Use another prior."
            );
        if (info.Classes is { } classes && problem.Condition.Labels is null)
            throw new ArgumentException($"Prior {info.Name} is class-conditional: give a class from 0 to {classes - 1} per picture.");
        if (problem.Condition.Labels is { } labels && labels.Length != problem.Batch)
            throw new ArgumentException($"There are {labels.Length} class labels for {problem.Batch} picture(s).");
    }
}
