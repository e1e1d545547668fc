using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Sampling;
using Diffusion.Solvers;

namespace Diffusion.Tests.Parity;

/// <summary>
/// What the cases of the sampler families have in common: weights become a prior, the operator and the first draw make the measurement, the
/// solver runs on the recorded draws, and its trace is held to the outputs.
/// </summary>
/// <remarks>
/// <code>
/// using ParityCase reference = ParityCase.Open(folder);
/// foreach (SamplerRun run in SamplerCase.Runs)
/// {
///     using SamplerCase sampler = new(reference, run, PublishedOperator.FromCase(reference));
///     sampler.AssertSolved(new DdrmSolver { ... });       // every trace whose name is an output is compared
///     sampler.Assert("x_hat01", ...);                     // whatever the trace does not name
/// }
/// reference.AssertAllOutputsTested();
/// reference.Config.AssertAllKeysUsed();
/// </code>
/// </remarks>
internal sealed class SamplerCase : IDisposable
{
    private readonly ReplayedNoise _noise;
    private readonly LinearOperator _published;
    private readonly Tensor _y;

    /// <summary>Builds prior, operator and measurement from the configuration, and compares <c>y</c>.</summary>
    /// <param name="reference">The case.</param>
    /// <param name="run">How it is computed.</param>
    /// <param name="a">The operator, with the arithmetic of the published code; disposed with the case.</param>
    /// <param name="shipped">The shipped operator that it is; null: found by the kind of <paramref name="a"/>.</param>
    /// <param name="range">The scale that the published program adds noise on.</param>
    /// <param name="clean">
    /// The measurement before noise, where the published program measures by another operator than it solves with; null: <c>y_clean</c> or
    /// A x_orig.
    /// </param>
    /// <param name="prior">The prior; null: the case's network with its scalings or betas.</param>
    /// <param name="noiseless">The published program adds no noise to y whatever the noise level.</param>
    /// <param name="drawn">Whether a draw of this label is asked for; null: all are.</param>
    public SamplerCase(
        ParityCase reference,
        SamplerRun run,
        LinearOperator a,
        PixelRange range = PixelRange.Symmetric,
        Tensor? clean = null,
        IDenoiser? prior = null,
        bool noiseless = false,
        Func<string, bool>? drawn = null,
        LinearOperator? shipped = null
    )
    {
        Reference = reference;
        Run = run;
        Range = range;
        torch.set_num_threads(run.Threads);
        ReadCommonKeys(reference.Config);
        Prior = new RecordingPrior(prior ?? CreatePrior(reference, run.Policy));
        _published = a;
        A = run.Shipped ? shipped ?? ShippedOperator.Of(a) ?? a : a;
        if (run.Shipped && A == a)
            Xunit.Assert.Contains(reference.Config.Object("operator").String("kind"), Quirks);
        _noise = reference.Noise(drawn);
        Tensor original = reference.Input("x_orig");
        clean ??= reference.HasInput("y_clean") ? reference.Input("y_clean") : ToPublished(A.Apply(original));
        Tensor y =
            NoiseScale > 0 && !noiseless
                ? a.Restrict(clean + (float)NoiseScale * _noise.Draw(NoiseRole.Measurement, a.Output.Batch(original.shape[0])))
                : clean;
        Assert("y", y.reshape(reference.Expected("y").shape));
        _y = FromPublished(y);
    }

    // Singular values laid out in another order than their components; weights that differ in the fourth decimal.
    private static readonly string[] Quirks = ["separable_conv_svd", "colorization"];

    /// <summary>
    /// The ways that every case is computed; the last one takes shipped operators where the published ones are no quirks.
    /// </summary>
    public static IReadOnlyList<SamplerRun> Runs { get; } =
    [
        new(ComputePolicy.Reference, 1, 1),
        new(new ComputePolicy(), 10, Math.Min(4, Environment.ProcessorCount)),
        new(ComputePolicy.Reference, 1, 1, Shipped: true),
    ];

    /// <summary>The case.</summary>
    public ParityCase Reference { get; }

    /// <summary>How it is computed.</summary>
    public SamplerRun Run { get; }

    /// <summary>The scale of y and of the noise.</summary>
    public PixelRange Range { get; }

    /// <summary>The prior; it remembers what it was asked.</summary>
    public RecordingPrior Prior { get; }

    /// <summary>The operator: the shipped one, or the one with the arithmetic of the published code.</summary>
    public LinearOperator A { get; }

    /// <summary>The noise level as the user gives it.</summary>
    public double Sigma => Reference.Config.Double("sigma_y");

    /// <summary>Standard deviation of what is added to y, on the scale of <see cref="Range"/>.</summary>
    public double NoiseScale => Reference.Config.Double("sigma_y_effective", Sigma);

    /// <summary>The measurement as a problem.</summary>
    public InverseProblem Problem => new(_y, A, NoiseScale, new Condition { Labels = Labels }, Range);

    /// <summary>The case's schedule.</summary>
    public NoiseSchedule Schedule => ScheduleOf(Reference.Config);

    private long[]? Labels => Reference.HasInput("classes") ? Reference.Input("classes").to(ScalarType.Int64).data<long>().ToArray() : null;

    /// <summary>
    /// Runs a solver on the recorded draws, all of which it must use, and compares every trace that is an output, then the result as
    /// <c>x_hat</c>.
    /// </summary>
    /// <param name="solver">The solver.</param>
    /// <param name="translate">Brings a trace to the form of the output; null leaves it.</param>
    /// <param name="draws">Brings recorded draws to the form that the solver asks for; null leaves them.</param>
    /// <param name="step">What the case calls a step.</param>
    /// <param name="clipped">Whether <c>x_hat01</c> is clipped.</param>
    /// <returns>The result.</returns>
    public Tensor AssertSolved(
        ISolver solver,
        Func<string, Tensor, Tensor>? translate = null,
        Func<NoiseSource, NoiseSource>? draws = null,
        string step = "step",
        bool clipped = true
    )
    {
        // Read now: inside the solver they would belong to its dispose scope.
        foreach (string name in Reference.Outputs)
            Reference.Expected(name);
        SolverContext context = new()
        {
            Noise = draws?.Invoke(_noise) ?? _noise,
            Trace = (name, value) =>
            {
                using DisposeScope scope = torch.NewDisposeScope();
                if (name.StartsWith("step", StringComparison.Ordinal))
                    name = step + name["step".Length..];
                if (Reference.Outputs.Contains(name))
                    Assert(name, translate is null ? value : translate(name, value));
            },
        };
        Tensor result = solver.Solve(Problem, Prior, context);
        _noise.AssertExhausted();
        if (Reference.Outputs.Contains("x_hat"))
            Assert("x_hat", result);
        if (Reference.Outputs.Contains("x_hat01"))
            Assert("x_hat01", clipped ? ((result + 1) / 2).clamp(0, 1) : (result + 1) / 2);
        return result;
    }

    /// <summary>The draws that follow the measurement's, once more.</summary>
    public ReplayedNoise Replay()
    {
        ReplayedNoise noise = Reference.Noise();
        if (NoiseScale > 0)
            noise.Draw(NoiseRole.Measurement, Reference.Draws[0].shape).Dispose();
        return noise;
    }

    /// <summary>A measurement by <see cref="A"/> in the published layout, where masks hold kept values only.</summary>
    public Tensor ToPublished(Tensor y) =>
        A == _published ? y
        : _published is PublishedMask ? _published.Apply(y)
        : y.reshape(_published.Output.Batch(y.shape[0]));

    /// <summary>A measurement in the published layout as <see cref="A"/> makes it.</summary>
    public Tensor FromPublished(Tensor y) =>
        A == _published ? y
        : _published is PublishedMask ? _published.Adjoint(y)
        : y.reshape(A.Output.Batch(y.shape[0]));

    /// <summary>Compares one output, with the run's factor on its tolerance.</summary>
    public void Assert(string name, Tensor actual) => Reference.AssertOutput(name, actual, Run.Factor);

    /// <inheritdoc/>
    public void Dispose()
    {
        Prior.Dispose();
        A.Dispose();
        _published.Dispose();
        torch.set_num_threads(1);
    }

    private static IDenoiser CreatePrior(ParityCase reference, ComputePolicy policy)
    {
        ConfigNode config = reference.Config;
        AdmUNetConfig network = NetworkCase.Network(config);
        PriorInfo info = new() { Name = config.String("weights_from"), Kind = PriorKind.PosteriorMean };
        if (!config.Has("sigma_data"))
        {
            AdmUNet unet = new(network, policy);
            reference.LoadInto(unet);
            unet.Arrange();
            NoiseSchedule schedule = ScheduleOf(config);
            return new VpPrior(
                unet,
                schedule,
                info with
                {
                    NoiseRange = (schedule.Sigma(0), schedule.Sigma(schedule.Steps - 1)),
                },
                TimeMode.Nearest
            );
        }
        ConsistencyUNet consistency = new(network, policy);
        reference.LoadInto(consistency);
        consistency.Arrange();
        double smallest = config.Double("sigma_min");
        return new ConsistencyPrior(
            consistency,
            info with
            {
                NoiseRange = (smallest, 80),
            },
            new KarrasScalings(config.Double("sigma_data"), smallest)
        );
    }

    private static NoiseSchedule ScheduleOf(ConfigNode config)
    {
        ConfigNode betas = config.Object("betas");
        betas.Only("schedule", "linear");
        if (betas.Has("dtype"))
            betas.Only("dtype", "float64");
        return NoiseSchedule.Linear(betas.Double("start"), betas.Double("end"), betas.Int("num"));
    }

    private static void ReadCommonKeys(ConfigNode config)
    {
        config.Only("channels", 3);
        config.Only("dtype", "float32");
        config.Text("final", "result", "sigma_range", "evaluation", "range");
        if (config.Has("batch"))
            _ = config.Int("batch");
        foreach (string size in (string[])["image_size", "height", "width"])
            if (config.Has(size))
                _ = config.Int(size);
    }
}

/// <summary>One way to compute a case.</summary>
/// <param name="Policy">Of the network.</param>
/// <param name="Factor">On the tolerances.</param>
/// <param name="Threads">Threads.</param>
/// <param name="Shipped">Whether the solver gets the shipped operator that the published one is, where there is one.</param>
internal sealed record SamplerRun(ComputePolicy Policy, double Factor, int Threads, bool Shipped = false);

/// <summary>Remembers the questions and answers of a prior.</summary>
internal sealed class RecordingPrior(IDenoiser inner) : IDenoiser, IVpNetwork
{
    /// <summary>One evaluation as a denoiser.</summary>
    public sealed record Call(Tensor X, double Sigma, Condition Condition, Tensor Denoised);

    /// <summary>The evaluations in order.</summary>
    public List<Call> Calls { get; } = [];

    /// <summary>Number of evaluations of either kind.</summary>
    public int Evaluations { get; private set; }

    /// <inheritdoc/>
    public PriorInfo Info => inner.Info;

    /// <inheritdoc/>
    public NoiseSchedule Schedule => ((IVpNetwork)inner).Schedule;

    /// <inheritdoc/>
    public Tensor Denoise(Tensor x, double sigma, in Condition condition = default)
    {
        Evaluations++;
        Tensor denoised = inner.Denoise(x, sigma, condition);
        Calls.Add(
            new Call(x.detach().clone().DetachFromDisposeScope(), sigma, condition, denoised.detach().clone().DetachFromDisposeScope())
        );
        return denoised;
    }

    /// <inheritdoc/>
    public (Tensor Epsilon, Tensor? Variance) Predict(Tensor xt, int t, in Condition condition = default)
    {
        Evaluations++;
        return ((IVpNetwork)inner).Predict(xt, t, condition);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Call call in Calls)
        {
            call.X.Dispose();
            call.Denoised.Dispose();
        }
        inner.Dispose();
    }
}
