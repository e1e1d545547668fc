using System.Collections.Concurrent;

namespace Diffusion.Jupyter.Scripting;

/// <summary>
/// Keeps everything that a cell does on one thread, what follows an <c>await</c> too: libtorch's gradient mode and dispose scopes belong to
/// a thread.
/// </summary>
internal sealed class CellThread : SynchronizationContext
{
    private readonly BlockingCollection<(SendOrPostCallback Work, object? State)> _work = [];

    /// <inheritdoc/>
    public override void Post(SendOrPostCallback d, object? state) => _work.Add((d, state));

    /// <inheritdoc/>
    public override void Send(SendOrPostCallback d, object? state) => throw new NotSupportedException("A cell's thread waits for nobody.");

    /// <inheritdoc/>
    public override SynchronizationContext CreateCopy() => this;

    /// <summary>Runs work on this thread, with all that it waits for.</summary>
    public T Run<T>(Func<Task<T>> work)
    {
        SynchronizationContext? before = Current;
        SetSynchronizationContext(this);
        try
        {
            Task<T> task = work();
            task.ContinueWith(_ => _work.Add((static _ => { }, null)), TaskScheduler.Default);
            while (!task.IsCompleted)
            {
                (SendOrPostCallback next, object? state) = _work.Take();
                next(state);
            }
            return task.GetAwaiter().GetResult();
        }
        finally
        {
            SetSynchronizationContext(before);
        }
    }
}
