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
    private sealed record Opened(OpenItem Source, Measurement Measurement, string Kind)
    {
        public JobItem Item => Source.Item;
    }

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
        bool isOpen = false;
        OpenItem? source = null;
        void Add(OpenItem item, int? page)
        {
            files.Cancellation.ThrowIfCancellationRequested();
            Measurement? measurement = null;
            string? kind = null;
            using (loading.IsCompleted ? null : new FinalizerHold())
                files.Try([item.Item], () => measurement = Open(item, page));
            // What is wrong with the method is wrong for every file: not caught here.
            RestorationRunner runner = loading.GetAwaiter().GetResult();
            if (!isOpen)
                watcher.Opened();
            isOpen = true;
            if (measurement is not null)
                files.Try([item.Item], () => kind = runner.KindOf(measurement));
            if (kind is null)
            {
                measurement?.Dispose();
                item.Fail();
                return;
            }
            if (batch.Count > 0 && batch[0].Kind != kind)
                Flush(runner, batch);
            batch.Add(new(item, measurement!, kind));
            if (batch.Count == Batch)
                Flush(runner, batch);
        }
        try
        {
            foreach (JobItem item in files.Todo)
            {
                source = null;
                files.Try([item], () => source = new OpenItem(item, Reading));
                for (int i = 0; source is { Failed: false } && i < source.Pages.Count; i++)
                    Add(source, source.Pages[i]);
            }
            if (batch.Count > 0)
                Flush(loading.Result, batch);
        }
        finally
        {
            foreach (Opened opened in batch)
            {
                opened.Measurement.Dispose();
                opened.Source.Dispose();
            }
            source?.Dispose();
            // It may still be loading when the job is cancelled.
            _ = loading.ContinueWith(
                static loaded => loaded.Result.Dispose(),
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnRanToCompletion | TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default
            );
        }
    }

    private Measurement Open(OpenItem source, int? page)
    {
        JobItem item = source.Item;
        Measurement measurement = Measurement.Open(item.Input, Reading with { Label = LabelOf(item.Input), Page = page });
        try
        {
            foreach (string note in measurement.Notes.Concat(measurement.Metadata.LossIn(source.Pages.Count) is { } loss ? [loss] : []))
                if (source.IsNew(note))
                    watcher.Noted(item, note);
            ImageFormat? format = item.Output == OutputPlan.StandardOutput ? ImageFormat.Png : ImageFormats.FromExtension(item.Output);
            if (format is { } chosen)
                ImageFile.CheckHolds(chosen, source.Pages.Count, measurement.IsOfChannels ? (int)measurement.Y.shape[1] : 1, item.Output);
            return measurement;
        }
        catch
        {
            measurement.Dispose();
            throw;
        }
    }

    private void Flush(RestorationRunner runner, List<Opened> batch)
    {
        Opened[] opened = [.. batch];
        batch.Clear();
        bool done = false;
        try
        {
            files.Try([.. opened.Select(o => o.Item).Distinct()], () =>
            {
                Restore(runner, opened);
                done = true;
            });
        }
        finally
        {
            foreach (Opened one in opened)
            {
                if (!done)
                    one.Source.Fail();
                one.Source.Release(one.Measurement);
            }
        }
    }

    private void Restore(RestorationRunner runner, Opened[] batch)
    {
        IReadOnlyList<RestoredPicture> restored = [];
        string? part = batch.Length == 1 ? batch[0].Source.PartOf(batch[0].Measurement) : null;
        watcher.Watch([.. batch.Select(opened => opened.Item).Distinct()], part, report =>
            restored = runner.Restore([.. batch.Select(opened => opened.Measurement)], step => report(step.Fraction), files.Cancellation)
        );
        for (int i = 0; i < batch.Length; i++)
            batch[i].Source.Add(batch[i].Measurement, restored[i]);
        OpenItem[] whole = [.. batch.Select(opened => opened.Source).Distinct().Where(source => source.IsComplete)];
        try
        {
            foreach (OpenItem source in whole)
            {
                RestoredPicture picture = source.Join();
                Write(source, picture, runner);
                watcher.Restored(source.Item, source.First, picture);
            }
        }
        finally
        {
            foreach (OpenItem source in whole)
                source.Dispose();
        }
    }

    private void Write(OpenItem source, RestoredPicture restored, RestorationRunner runner)
    {
        JobItem item = source.Item;
        if (item.Output != OutputPlan.StandardOutput)
        {
            RestoredFiles.Write(item, source.First, restored, runner.Policy, Overwrite);
            return;
        }
        using Stream stdout = StandardOutput?.Invoke() ?? throw new JobException("There is no standard output here", item.Input);
        ImageFile.Write(stdout, restored.Picture, ImageFormat.Png, new WriteOptions { BitDepth = source.First.DepthIn(ImageFormat.Png) });
    }
}
