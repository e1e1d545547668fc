using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Diffusion.Runtime;

namespace Diffusion.Pipeline;

/// <summary>
/// Turns files into files: the items of one part, those that are complete left out; one that fails is put down and the others go on.
/// </summary>
public sealed class FileJob
{
    private readonly List<JobFailure> _failures = [];
    private readonly Lazy<IReadOnlyList<JobItem>> _todo;

    /// <summary>A job.</summary>
    /// <param name="items">All of its items, whatever part of them is made here.</param>
    /// <param name="shard">The part; null: everything.</param>
    /// <param name="isComplete">Whether an item's output is there, complete, and made with the item's settings; null: none is.</param>
    public FileJob(IReadOnlyList<JobItem> items, Shard? shard = null, Predicate<JobItem>? isComplete = null)
    {
        Items = shard is null ? items : [.. items.Where(shard.Holds)];
        _todo = new(() => isComplete is null ? Items : [.. Items.Where(item => !isComplete(item))]);
    }

    /// <summary>The items of this part.</summary>
    public IReadOnlyList<JobItem> Items { get; }

    /// <summary>Those that are still to be made.</summary>
    public IReadOnlyList<JobItem> Todo => _todo.Value;

    /// <summary>Told of each failure when it happens.</summary>
    public Action<JobFailure>? Failed { get; init; }

    /// <summary>Checked before each item.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>What failed.</summary>
    public IReadOnlyList<JobFailure> Failures => _failures;

    /// <summary>Makes one item after the other, or several at once.</summary>
    /// <param name="make">Makes an item.</param>
    /// <param name="workers">How many are made at once, each on a thread of its own.</param>
    /// <exception cref="OperationCanceledException">Cancelled; what is finished is kept.</exception>
    public void Run(Action<JobItem> make, int workers = 1)
    {
        void One(JobItem item)
        {
            Cancellation.ThrowIfCancellationRequested();
            Try([item], () => make(item));
        }
        if (workers <= 1)
        {
            foreach (JobItem item in Todo)
                One(item);
            return;
        }
        try
        {
            Parallel.ForEach(
                Partitioner.Create(Todo, EnumerablePartitionerOptions.NoBuffering),
                new ParallelOptions { MaxDegreeOfParallelism = workers },
                One
            );
        }
        catch (AggregateException e)
        {
            // The others stopped because of the first.
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }
    }

    /// <summary>
    /// Runs one piece of work for some items. What is wrong with their files, or with the memory for them, is put down; the failure of a
    /// job's only item is the job's own, and wrong settings are wrong for every file: these are thrown.
    /// </summary>
    public void Try(IReadOnlyList<JobItem> items, Action work)
    {
        try
        {
            work();
        }
        catch (Exception e) when (Items.Count > 1 && ConcernsFiles(e))
        {
            JobFailure failure = new([.. items.Select(item => item.Input)], e);
            lock (_failures)
            {
                _failures.Add(failure);
                Failed?.Invoke(failure);
            }
        }
    }

    /// <summary>Whether libtorch or the runtime had too little memory.</summary>
    public static bool IsOutOfMemory(Exception e) =>
        e is OutOfMemoryException
        || (
            e is ExternalException
            && (
                e.Message.Contains("not enough memory", StringComparison.OrdinalIgnoreCase)
                || e.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase)
            )
        );

    // A full disk is full for every file.
    private static bool ConcernsFiles(Exception e) =>
        e is not ResourceException { InnerException: IOException }
        && (e is (DiffusionException and not JobException) or IOException or UnauthorizedAccessException || IsOutOfMemory(e));
}

/// <summary>Inputs that came to nothing.</summary>
/// <param name="Inputs">The files.</param>
/// <param name="Error">Why.</param>
public sealed record JobFailure(IReadOnlyList<string> Inputs, Exception Error);
