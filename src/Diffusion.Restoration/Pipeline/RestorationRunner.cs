using System.Diagnostics;
using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Pipeline;

/// <summary>
/// Everything between a measurement and a restored picture that is not the method's: memory, areas and tiles, samples and their draws,
/// fit and hints. Whoever restores, restores through it.
/// </summary>
/// <remarks>Synchronous. One restoration at a time per instance.</remarks>
public sealed class RestorationRunner : IDisposable
{
    private readonly IRestorationMethod _method;
    private readonly RunOptions _options;
    private readonly MemoryBound _memory;

    /// <summary>Opens a method.</summary>
    /// <param name="method">What restores; owned from now on.</param>
    /// <param name="options">How it is run.</param>
    /// <exception cref="DiffusionException">What the method needs cannot be loaded.</exception>
    public RestorationRunner(IRestorationMethod method, RunOptions options)
    {
        (_method, _options, _memory) = (method, options, new MemoryBound(options));
        Policy = options.Policy ?? ComputePolicy.Choose();
        method.Open(Policy);
    }

    /// <summary>Device, number format, threads.</summary>
    public ComputePolicy Policy { get; }

    /// <summary>Handed named intermediates of each run, borrowed for the time of the call; null: nothing is kept for it.</summary>
    public Action<string, Tensor>? Trace { get; init; }

    /// <summary>Measurements of one kind may be restored together.</summary>
    /// <exception cref="DiffusionException">It cannot be restored.</exception>
    public string KindOf(Measurement measurement)
    {
        if (!_method.TakesChannels(measurement))
            return _method.KindOf(measurement);
        using Measurement first = measurement.Channel(0);
        return $"{measurement.Y.shape[1]} channels of {_method.KindOf(first)}";
    }

    /// <summary>Restores measurements of one kind together; each result is the same as if it were restored alone, up to rounding.</summary>
    /// <param name="batch">Borrowed.</param>
    /// <param name="progress">Told synchronously after each step.</param>
    /// <param name="cancellation">Checked before each network evaluation.</param>
    /// <returns>One result per measurement; the caller disposes them.</returns>
    /// <exception cref="DiffusionException">A measurement does not fit, memory is short, or NaN appeared.</exception>
    /// <exception cref="ArgumentException">Unknown names or impossible values in the settings, or a mixed batch.</exception>
    public IReadOnlyList<RestoredPicture> Restore(
        IReadOnlyList<Measurement> batch,
        Action<RestoreProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        if (batch.Count == 0)
            return [];
        if (batch.Any(_method.TakesChannels))
            return [.. batch.Select(measurement => ByChannel(measurement, progress, cancellation))];
        using ComputeScope scope = new();
        Stopwatch watch = Stopwatch.StartNew();
        using IRestoration restoration = Begin(batch);
        (Layout layout, IReadOnlyList<MethodChoice> choices) = Settle(restoration, batch.Count);
        RestorationRun run = new(restoration, layout, _options, batch)
        {
            Progress = progress,
            Cancellation = cancellation,
            Trace = Trace,
        };
        RestoredParts parts = run.Execute() with { Grid = batch.Any(m => m.Metadata.HasPlaces) ? restoration.Grid : null };
        double seconds = watch.Elapsed.TotalSeconds / batch.Count;
        return [.. batch.Select((measurement, i) => Result(measurement, i, restoration, layout, choices[i], parts, seconds))];
    }

    /// <summary>What restoring such measurements would mean; runs the network on a small picture to time it.</summary>
    /// <param name="measurement">Borrowed.</param>
    /// <param name="batch">Pictures that would be restored together.</param>
    /// <exception cref="DiffusionException">As for a restoration.</exception>
    /// <exception cref="ArgumentException">As for a restoration.</exception>
    public RestorePlan Plan(Measurement measurement, int batch = 1)
    {
        if (_method.TakesChannels(measurement))
        {
            using Measurement first = measurement.Channel(0);
            RestorePlan one = Plan(first, batch);
            return one with
            {
                Picture = one.Picture with { Channels = (int)measurement.Y.shape[1] },
                Seconds = one.Seconds * measurement.Y.shape[1],
            };
        }
        using ComputeScope scope = new();
        double perPixel = _method.SecondsPerPixel(measurement);
        using IRestoration restoration = Begin([measurement]);
        (Layout layout, IReadOnlyList<MethodChoice> choices) = Settle(restoration, batch);
        return new RestorePlan(
            restoration.Operator,
            restoration.Output,
            choices[0].Noise,
            choices[0].NoiseEstimated,
            choices[0].Method,
            choices[0].Evaluations,
            layout.Tile,
            layout.Bytes,
            perPixel * (layout.Pixels / batch) * choices[0].Evaluations * _options.Samples
        )
        {
            Areas = layout.Areas,
            NoiseModel = choices[0].NoiseModel,
        };
    }

    /// <inheritdoc/>
    public void Dispose() => _method.Dispose();

    // Channels that are no colours are gray pictures, one after the other.
    private RestoredPicture ByChannel(Measurement measurement, Action<RestoreProgress>? progress, CancellationToken cancellation)
    {
        if (!_method.TakesChannels(measurement))
            return Restore([measurement], progress, cancellation)[0];
        List<RestoredPicture> restored = [];
        try
        {
            int channels = (int)measurement.Y.shape[1];
            for (int i = 0; i < channels; i++)
            {
                int done = i;
                using Measurement channel = measurement.Channel(i);
                Action<RestoreProgress>? told = progress is null
                    ? null
                    : step => progress(new(done * step.Samples + step.Sample, channels * step.Samples, step.Step));
                restored.AddRange(Restore([channel], told, cancellation));
            }
        }
        catch
        {
            foreach (RestoredPicture picture in restored)
                picture.Dispose();
            throw;
        }
        return JoinedPictures.OfChannels(restored);
    }

    private IRestoration Begin(IReadOnlyList<Measurement> batch)
    {
        string[] kinds = [.. batch.Select(_method.KindOf).Distinct()];
        _method.KeepWithin(_memory.Bytes);
        return kinds.Length == 1
            ? _method.Begin(batch)
            : throw new ArgumentException($"A batch is of one operator and size, but here are {string.Join("; ", kinds)}.");
    }

    // The samples of a large picture would be too large together, so only single ones are cut up.
    private (Layout, IReadOnlyList<MethodChoice>) Settle(IRestoration restoration, int batch)
    {
        if (batch == 1 && _options.Samples == 1 && Layout.InAreas(restoration, _memory) is { } areas)
            return (areas, restoration.Choose(areas.Middle));
        IReadOnlyList<MethodChoice> choices = restoration.Choose(null);
        return (Layout.Whole(restoration, _memory, batch), choices);
    }

    private static RestoredPicture Result(
        Measurement measurement,
        int index,
        IRestoration restoration,
        Layout layout,
        MethodChoice choice,
        RestoredParts parts,
        double seconds
    )
    {
        Misfit misfit = parts.Misfits.ElementAtOrDefault(index);
        return new RestoredPicture
        {
            Picture = parts.Picture(index, measurement, choice.Opaque),
            Samples = parts.Samples(index, measurement, choice.Opaque),
            Spread = parts.Spread(index),
            Operator = restoration.Operator,
            Noise = choice.Noise,
            NoiseEstimated = choice.NoiseEstimated,
            NoiseModel = choice.NoiseModel,
            Solver = choice.Method,
            Evaluations = parts.Reports[index].Evaluations is > 0 and var counted ? counted / parts.Runs : choice.Evaluations,
            Areas = layout.Areas,
            Seconds = seconds,
            WhitenedResidual = misfit.Values > 0 ? misfit.Residual : null,
            Solves = parts.Reports[index].Solves,
            Hint = choice.Doubt ?? WhitenedResidual.Hint(misfit) ?? parts.Sameness(choice.Method),
        };
    }
}
