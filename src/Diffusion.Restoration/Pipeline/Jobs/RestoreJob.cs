using Diffusion.Imaging;
using Diffusion.Native;
using Diffusion.Restoration;

namespace Diffusion.Pipeline;

/// <summary>Restores files one batch after another and writes each result as soon as it is there.</summary>
/// <param name="files">The job's items; cancellation and failures are its.</param>
/// <param name="watcher">Told how it goes.</param>
public sealed class RestoreJob(FileJob files, IRestoreWatcher watcher)
{
    /// <summary>One input on its way.</summary>
    private sealed record Opened(JobItem Item, Measurement Measurement, string Kind);

    /// <summary>The class of an input, for class-conditional priors.</summary>
    public Func<string, long?> LabelOf { get; init; } = static _ => null;

    /// <summary>How the inputs are read.</summary>
    public MeasurementOptions Reading { get; init; } = MeasurementOptions.Default;

    /// <summary>Most pictures of one kind that are restored together.</summary>
    public int Batch { get; init; } = 1;

    /// <summary>Replace existing outputs.</summary>
    public bool Overwrite { get; init; }

    /// <summary>Opens standard output, for an item that goes there.</summary>
    public Func<Stream>? StandardOutput { get; init; }

    /// <summary>Restores what is still to be made.</summary>
    /// <param name="open">Opens what restores, on another thread while the first picture is decoded; disposed at the end.</param>
    /// <exception cref="OperationCanceledException">Cancelled; what is finished is kept.</exception>
    /// <exception cref="ArgumentException">The settings are wrong for every file.</exception>
    public void Run(Func<RestorationRunner> open)
    {
        if (files.Todo.Count == 0)
            return;
        Task<RestorationRunner> loading = Task.Run(open);
        List<Opened> batch = [];
        try
        {
            foreach (JobItem item in files.Todo)
            {
                files.Cancellation.ThrowIfCancellationRequested();
                Measurement? measurement = null;
                using (loading.IsCompleted ? null : new FinalizerHold())
                    files.Try([item], () => measurement = Open(item));
                // What is wrong with the method is wrong for every file: not caught here.
                RestorationRunner runner = loading.GetAwaiter().GetResult();
                if (ReferenceEquals(item, files.Todo[0]))
                    watcher.Opened();
                string? kind = null;
                if (measurement is not null)
                    files.Try([item], () => kind = runner.KindOf(measurement));
                if (kind is null)
                {
                    measurement?.Dispose();
                    continue;
                }
                if (batch.Count > 0 && batch[0].Kind != kind)
                    Flush(runner, batch);
                batch.Add(new(item, measurement!, kind));
                if (batch.Count == Batch)
                    Flush(runner, batch);
            }
            if (batch.Count > 0)
                Flush(loading.Result, batch);
        }
        finally
        {
            foreach (Opened opened in batch)
                opened.Measurement.Dispose();
            // It may still be loading when the job is cancelled.
            _ = loading.ContinueWith(
                static loaded => loaded.Result.Dispose(),
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnRanToCompletion | TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default
            );
        }
    }

    private Measurement Open(JobItem item)
    {
        Measurement measurement = Measurement.Open(item.Input, Reading with { Label = LabelOf(item.Input) });
        foreach (string note in measurement.Notes)
            watcher.Noted(item, note);
        return measurement;
    }

    private void Flush(RestorationRunner runner, List<Opened> batch)
    {
        Opened[] opened = [.. batch];
        batch.Clear();
        try
        {
            files.Try([.. opened.Select(o => o.Item)], () => Restore(runner, opened));
        }
        finally
        {
            foreach (Opened one in opened)
                one.Measurement.Dispose();
        }
    }

    private void Restore(RestorationRunner runner, Opened[] batch)
    {
        IReadOnlyList<RestoredPicture> restored = [];
        watcher.Watch([.. batch.Select(opened => opened.Item)], report =>
            restored = runner.Restore([.. batch.Select(opened => opened.Measurement)], step => report(step.Fraction), files.Cancellation)
        );
        try
        {
            for (int i = 0; i < batch.Length; i++)
            {
                Write(batch[i], restored[i], runner);
                watcher.Restored(batch[i].Item, batch[i].Measurement, restored[i]);
            }
        }
        finally
        {
            foreach (RestoredPicture picture in restored)
                picture.Dispose();
        }
    }

    private void Write(Opened opened, RestoredPicture restored, RestorationRunner runner)
    {
        JobItem item = opened.Item;
        if (item.Output != OutputPlan.StandardOutput)
        {
            RestoredFiles.Write(item, opened.Measurement, restored, runner.Policy, Overwrite);
            return;
        }
        using Stream stdout = StandardOutput?.Invoke() ?? throw new JobException("There is no standard output here", item.Input);
        ImageFile.Write(
            stdout,
            restored.Picture,
            ImageFormat.Png,
            new WriteOptions { BitDepth = opened.Measurement.DepthIn(ImageFormat.Png) }
        );
    }
}
