using System.Diagnostics;
using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Operators;
using Diffusion.Runtime;
using Diffusion.Solvers;

namespace Diffusion.Restoration;

/// <summary>Restores pictures with a pretrained prior: pictures in, pictures out. Holds the prior; create it once.</summary>
/// <remarks>Synchronous: run it on a worker to keep a user interface alive. One restoration at a time per instance.</remarks>
/// <example><code>
/// using Restorer restorer = new(new RestoreOptions { Operator = "downsample:factor=4", Noise = 0.02 });
/// using Picture small = ImageFile.Read("small.png");
/// using Picture large = restorer.Restore(small);
/// ImageFile.Write("large.png", large);
/// </code></example>
public sealed class Restorer : IDisposable
{
    private readonly IDenoiser _prior;
    private readonly ComputePolicy _policy;
    private readonly OperatorCatalog _operators;
    private readonly SolverCatalog _solvers;
    private BoundProblem? _bound;
    private string? _boundTo;
    private double? _secondsPerPixel;

    /// <summary>Loads the prior that <paramref name="options"/> name.</summary>
    /// <exception cref="CheckpointException">There is no such prior, or it does not load.</exception>
    public Restorer(RestoreOptions options)
        : this(options, PriorLoader.Load(options.Prior, options.Policy ?? ComputePolicy.Choose())) { }

    /// <summary>Restores with a prior that is there already.</summary>
    /// <param name="options">Everything else.</param>
    /// <param name="prior">The prior; owned from now on.</param>
    public Restorer(RestoreOptions options, IDenoiser prior)
    {
        Options = options;
        _prior = prior;
        _policy = options.Policy ?? ComputePolicy.Choose();
        _operators = options.Operators ?? ShippedOperators.Catalog;
        _solvers = options.Solvers ?? SolverCatalog.BuiltIn;
    }

    /// <summary>What it was created with.</summary>
    public RestoreOptions Options { get; }

    /// <summary>The prior.</summary>
    public PriorInfo Prior => _prior.Info;

    /// <summary>Restores one picture.</summary>
    /// <param name="degraded">The picture; borrowed.</param>
    /// <returns>The restored picture; the caller disposes it.</returns>
    public Picture Restore(Picture degraded)
    {
        using Measurement measurement = Measurement.From(degraded);
        RestoredPicture restored = Restore(measurement);
        foreach (Picture sample in restored.Samples)
            sample.Dispose();
        restored.Spread?.Dispose();
        return restored.Picture;
    }

    /// <summary>Restores one measurement.</summary>
    public RestoredPicture Restore(
        Measurement measurement,
        Action<RestoreProgress>? progress = null,
        CancellationToken cancellation = default
    ) => Restore([measurement], progress, cancellation)[0];

    /// <summary>
    /// Restores measurements of one size together. Each result is the same as if it were restored alone (up to rounding).
    /// </summary>
    /// <param name="batch">Measurements of the same shape, operator and noise; borrowed.</param>
    /// <param name="progress">Told synchronously after each step.</param>
    /// <param name="cancellation">Checked before each network evaluation.</param>
    /// <returns>One result per measurement; the caller disposes them.</returns>
    /// <exception cref="DiffusionException">The measurement does not fit the operator, memory is short, or NaN appeared.</exception>
    /// <exception cref="ArgumentException">Unknown names or impossible values in the options, or a mixed batch.</exception>
    public IReadOnlyList<RestoredPicture> Restore(
        IReadOnlyList<Measurement> batch,
        Action<RestoreProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        if (batch.Count == 0)
            return [];
        using ComputeScope scope = new();
        Stopwatch watch = Stopwatch.StartNew();
        if (batch.Count == 1)
        {
            using LargePicture? large = LargePicture.Of(
                OperatorChoice.Of(Options, _operators, batch[0]),
                batch[0],
                Options,
                _prior,
                _policy
            );
            if (large is not null)
                return [large.Restore(batch[0], Options, _solvers, _prior, _policy, ConditionOf(batch), progress, cancellation)];
        }
        BoundProblem problem = Bind(batch);
        Tensor y = torch.cat([.. batch.Select(m => m.Y)]).to(_policy.Device);
        double sigma = NoiseLevel.Of(Options, batch[0], problem.A, y, out bool estimated);
        (string name, ISolver solver) = SolverChoice.Create(
            Options,
            _solvers,
            PresetRequest.For(problem.A, sigma * problem.Scale, _prior.Info, Options.Steps)
        );
        SolveLog solves = new();
        (Tensor[] samples, string? sameness) = Sample(
            new InverseProblem(y * problem.Scale, problem.Solved, sigma * problem.Scale, ConditionOf(batch)),
            problem,
            name,
            solver,
            batch,
            solves,
            progress,
            cancellation
        );
        Tensor stacked = torch.stack(samples),
            mean = samples.Length == 1 ? samples[0] : stacked.mean([0L]);
        double[]? residuals = sigma > 0 ? WhitenedResidual.Of(new InverseProblem(y, problem.A, sigma), mean) : null;
        double seconds = watch.Elapsed.TotalSeconds / batch.Count;
        return
        [
            .. batch.Select(
                (measurement, i) =>
                    new RestoredPicture
                    {
                        Picture = ToPicture(mean, i, measurement),
                        Samples = samples.Length == 1 ? [] : [.. samples.Select(sample => ToPicture(sample, i, measurement))],
                        Spread = samples.Length == 1 ? null : SpreadOf(stacked.select(1, i)),
                        Operator = problem.Spec.ToString(),
                        Noise = sigma,
                        NoiseEstimated = estimated,
                        Solver = name,
                        Evaluations = solver.Evaluations,
                        Seconds = seconds,
                        WhitenedResidual = residuals?[i],
                        Solves = solves,
                        // Below 1 is no fault: where there are fewer values than pixels, a picture may fit the noise too.
                        Hint = (residuals?[i] > 1 ? WhitenedResidual.Hint(residuals[i]) : null) ?? sameness,
                    }
            ),
        ];
    }

    /// <summary>What restoring this measurement would mean; runs the network once on a small picture to time it.</summary>
    /// <param name="measurement">The measurement; borrowed.</param>
    /// <param name="batch">Pictures that would be restored together.</param>
    /// <exception cref="DiffusionException">As for a restoration.</exception>
    public RestorePlan Plan(Measurement measurement, int batch = 1)
    {
        using ComputeScope scope = new();
        _secondsPerPixel ??= EvaluationTime.PerPixel(_prior, ConditionOf([measurement]));
        if (batch == 1)
        {
            OperatorSpec spec = OperatorChoice.Of(Options, _operators, measurement);
            using LargePicture? large = LargePicture.Of(spec, measurement, Options, _prior, _policy);
            if (large is not null)
            {
                (double level, bool guessed, string method, ISolver chosen) = large.Choose(measurement, Options, _solvers, _prior, _policy);
                return new RestorePlan(
                    spec.ToString(),
                    large.Shape,
                    level,
                    guessed,
                    method,
                    chosen.Evaluations,
                    large.Tile,
                    large.Bytes,
                    _secondsPerPixel.Value * large.Pixels * chosen.Evaluations
                )
                {
                    Areas = large.Areas,
                };
            }
        }
        BoundProblem problem = Bind([measurement]);
        double sigma = NoiseLevel.Of(Options, measurement, problem.A, measurement.Y.to(_policy.Device), out bool estimated);
        (string name, ISolver solver) = SolverChoice.Create(
            Options,
            _solvers,
            PresetRequest.For(problem.A, sigma * problem.Scale, _prior.Info, Options.Steps)
        );
        ImageShape picture = problem.Solved.Input;
        int? tile = Tiling.Choose(_prior, Options, picture, batch, _policy);
        return new RestorePlan(
            problem.Spec.ToString(),
            problem.A.Input,
            sigma,
            estimated,
            name,
            solver.Evaluations,
            tile,
            MemoryEstimate.Of(_prior).Bytes(picture, batch, tile),
            _secondsPerPixel.Value * picture.Height * picture.Width * solver.Evaluations * Options.Samples
        );
    }

    private (Tensor[] Samples, string? Sameness) Sample(
        InverseProblem inverse,
        BoundProblem problem,
        string name,
        ISolver solver,
        IReadOnlyList<Measurement> batch,
        SolveLog solves,
        Action<RestoreProgress>? progress,
        CancellationToken cancellation
    )
    {
        using IDenoiser? tiled = Tiling.Wrap(_prior, Options, problem.Solved.Input, batch.Count, _policy);
        ImageKey[] keys = [.. batch.Select(m => ImageKey.FromName(m.Name))];
        bool drawsAtStart = false,
            drawsInSteps = false;
        Tensor[] samples =
        [
            .. Enumerable
                .Range(0, Options.Samples)
                .Select(sample =>
                {
                    PhiloxNoise noise = new(Options.Seed, keys, sample);
                    Tensor x = solver.Solve(
                        inverse,
                        tiled ?? _prior,
                        new SolverContext
                        {
                            Noise = noise,
                            Precision = StepPrecision.Default,
                            Solves = solves,
                            Cancellation = cancellation,
                            Progress = progress is null ? null : step => progress(new(sample + 1, Options.Samples, step)),
                        }
                    );
                    (drawsAtStart, drawsInSteps) = (
                        noise.Drawn(NoiseRole.Start) > 0,
                        noise.Drawn(NoiseRole.Step) + noise.Drawn(NoiseRole.Spectral) > 0
                    );
                    return problem.IsGray ? GrayMeasurement.Mean(x) : x;
                }),
        ];
        return (
            samples,
            samples.Length == 1 || drawsInSteps ? null
            : drawsAtStart
                ? $"{name} draws noise only at its start here, so the samples' spread is too small to mean anything; ddnm or ddrm draw more"
            : $"{name} is deterministic, all samples are the same; use a solver that draws noise, for example ddnm"
        );
    }

    /// <summary>The operator for this batch; kept, so that further pictures of the same size cost less.</summary>
    private BoundProblem Bind(IReadOnlyList<Measurement> batch)
    {
        string[] wanted =
        [
            .. batch.Select(m => $"{OperatorChoice.Of(Options, _operators, m)} {m.Clean} {string.Join("x", m.Y.shape)}").Distinct(),
        ];
        if (wanted.Length > 1)
            throw new ArgumentException($"A batch is of one operator and size, but here are {string.Join("; ", wanted)}.");
        if (wanted[0] == _boundTo)
            return _bound!;
        _bound?.Dispose();
        (_bound, _boundTo) = (null, null);
        _bound = BoundProblem.Bind(
            OperatorChoice.Of(Options, _operators, batch[0]),
            batch[0],
            _prior.Info.Channels,
            _prior.Info.Name,
            _policy.Device
        );
        _boundTo = wanted[0];
        return _bound;
    }

    private Condition ConditionOf(IReadOnlyList<Measurement> batch)
    {
        if (_prior.Info.Classes is not { } classes)
            return default;
        long[] labels =
        [
            .. batch.Select(m =>
                m.Label
                ?? Options.Label
                ?? throw new ArgumentException(
                    $"Prior {_prior.Info.Name} is class-conditional: give a class from 0 to {classes - 1} (--class)."
                )
            ),
        ];
        if (labels.FirstOrDefault(label => label < 0 || label >= classes, -1) is >= 0 and var wrong)
            throw new ArgumentException($"Prior {_prior.Info.Name} has the classes 0 to {classes - 1}, but not {wrong}.");
        return new Condition { Labels = labels };
    }

    private static SampleSpread SpreadOf(Tensor samples) =>
        new()
        {
            Count = (int)samples.shape[0],
            Mean = samples.mean([0L]).unsqueeze(0).cpu().DetachFromDisposeScope(),
            Deviation = samples.std(0, unbiased: true).unsqueeze(0).cpu().DetachFromDisposeScope(),
        };

    private static Picture ToPicture(Tensor batch, int index, Measurement measurement)
    {
        Tensor pixels = batch.narrow(0, index, 1).clamp(0, 1).cpu().contiguous();
        Tensor? alpha = measurement.Alpha is null
            ? null
            : AlphaChannel.Resize(measurement.Alpha, (int)pixels.shape[2], (int)pixels.shape[3]);
        return new Picture(pixels.clone(), alpha) { Name = measurement.Name, BitDepth = measurement.BitDepth };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _bound?.Dispose();
        _prior.Dispose();
    }
}
