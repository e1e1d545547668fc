using Diffusion.Imaging;
using Diffusion.Models;
using Diffusion.Pipeline;
using Diffusion.Runtime;
using Diffusion.ZeroShot;

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
    private readonly ZeroShotMethod _method;
    private readonly RestorationRunner _runner;

    /// <summary>Loads the prior that <paramref name="options"/> name.</summary>
    /// <exception cref="CheckpointException">There is no such prior, or it does not load.</exception>
    /// <exception cref="OperatorSpecException">The operator's text is no spec.</exception>
    public Restorer(RestoreOptions options)
        : this(new ZeroShotMethod(options)) { }

    /// <summary>Restores with a prior that is there already.</summary>
    /// <param name="options">Everything else.</param>
    /// <param name="prior">The prior; owned from now on.</param>
    /// <exception cref="OperatorSpecException">The operator's text is no spec.</exception>
    public Restorer(RestoreOptions options, IDenoiser prior)
        : this(new ZeroShotMethod(options, prior)) { }

    private Restorer(ZeroShotMethod method) => (_method, _runner) = (method, new RestorationRunner(method, method.Options));

    /// <summary>What it was created with.</summary>
    public RestoreOptions Options => _method.Options;

    /// <summary>The prior.</summary>
    public PriorInfo Prior => _method.PriorInfo;

    /// <summary>Restores one picture.</summary>
    /// <param name="degraded">The picture; borrowed.</param>
    /// <returns>The restored picture; the caller disposes it.</returns>
    /// <exception cref="DiffusionException">The picture does not fit the operator, memory is short, or NaN appeared.</exception>
    /// <exception cref="ArgumentException">Unknown names or impossible values in the options.</exception>
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
    /// <inheritdoc cref="Restore(IReadOnlyList{Measurement}, Action{RestoreProgress}?, CancellationToken)"/>
    public RestoredPicture Restore(
        Measurement measurement,
        Action<RestoreProgress>? progress = null,
        CancellationToken cancellation = default
    ) => Restore([measurement], progress, cancellation)[0];

    /// <summary>
    /// Restores measurements of one size together. Each result is the same as if it were restored alone (up to rounding).
    /// </summary>
    /// <param name="batch">Measurements of the same shape and operator, each with its own noise; borrowed.</param>
    /// <param name="progress">Told synchronously after each step.</param>
    /// <param name="cancellation">Checked before each network evaluation.</param>
    /// <returns>One result per measurement; the caller disposes them.</returns>
    /// <exception cref="DiffusionException">The measurement does not fit the operator, memory is short, or NaN appeared.</exception>
    /// <exception cref="ArgumentException">Unknown names or impossible values in the options, or a mixed batch.</exception>
    public IReadOnlyList<RestoredPicture> Restore(
        IReadOnlyList<Measurement> batch,
        Action<RestoreProgress>? progress = null,
        CancellationToken cancellation = default
    ) => _runner.Restore(batch, progress, cancellation);

    /// <summary>Measurements of one kind may be restored together: of the same shape and operator.</summary>
    /// <exception cref="OperatorSpecException">It is not known how it was made.</exception>
    public string KindOf(Measurement measurement) => _runner.KindOf(measurement);

    /// <summary>What restoring this measurement would mean; runs the network once on a small picture to time it.</summary>
    /// <param name="measurement">The measurement; borrowed.</param>
    /// <param name="batch">Pictures that would be restored together.</param>
    /// <exception cref="DiffusionException">As for a restoration.</exception>
    /// <exception cref="ArgumentException">As for a restoration.</exception>
    public RestorePlan Plan(Measurement measurement, int batch = 1) => _runner.Plan(measurement, batch);

    /// <inheritdoc/>
    public void Dispose() => _runner.Dispose();
}
