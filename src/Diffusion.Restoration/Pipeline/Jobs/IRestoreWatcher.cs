using Diffusion.Restoration;

namespace Diffusion.Pipeline;

/// <summary>Told how a job of restorations goes, on the job's thread.</summary>
public interface IRestoreWatcher
{
    /// <summary>The method is open and the first picture is read.</summary>
    void Opened() { }

    /// <summary>Something about the decoding of an input: a sentence without a full stop.</summary>
    void Noted(JobItem item, string note) { }

    /// <summary>Runs the restoration of some items, which reports the finished part, 0..1.</summary>
    /// <param name="items">The items.</param>
    /// <param name="part">Which part of a single item, in words; null: the whole.</param>
    /// <param name="restore">The restoration.</param>
    void Watch(IReadOnlyList<JobItem> items, string? part, Action<Action<double>> restore) => restore(static _ => { });

    /// <summary>An item's files are written.</summary>
    /// <param name="item">The item.</param>
    /// <param name="measurement">What it was made of; borrowed.</param>
    /// <param name="restored">What it became; borrowed.</param>
    void Restored(JobItem item, Measurement measurement, RestoredPicture restored) { }
}
