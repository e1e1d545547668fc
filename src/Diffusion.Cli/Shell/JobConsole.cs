using Diffusion.Pipeline;

namespace Diffusion.Cli.Shell;

/// <summary>Says on the terminal how a job goes, and turns its end into an exit code.</summary>
internal static class JobConsole
{
    /// <summary>A job whose failures are told when they happen.</summary>
    public static FileJob Watched(Session session, IReadOnlyList<JobItem> items, Shard? shard = null, Predicate<JobItem>? isComplete = null)
    {
        FileJob job = new(items, shard, isComplete)
        {
            Failed = failure => session.Terminal.Fail(Failure.Of(failure.Error), failure.Error),
            Cancellation = session.Cancellation,
        };
        if (shard is not null)
            session.Terminal.Say($"Part {shard}: {job.Items.Count} of {items.Count} files.");
        return job;
    }

    /// <summary>Says how much is there already.</summary>
    public static void TellComplete(Session session, FileJob job)
    {
        if (job.Todo.Count < job.Items.Count)
            session.Terminal.Say($"{job.Items.Count - job.Todo.Count} of {job.Items.Count} outputs are complete already.");
    }

    /// <summary>Says why an output that is there is made again.</summary>
    public static void TellOld(Session session, JobItem item) =>
        session.Terminal.Say(
            $"{item.Output}: its record is of an older version, which does not say all that it was made of. It is made again."
        );

    /// <summary>Closes with the count and the list of failures.</summary>
    /// <returns>The exit code: 1 when some files failed.</returns>
    public static ExitCode Finish(Session session, FileJob job)
    {
        string[] failed = [.. job.Failures.SelectMany(failure => failure.Inputs)];
        if (failed.Length == 0)
            return ExitCode.Done;
        ExitCode code = job.Failures.All(failure => Failure.Of(failure.Error).Code == ExitCode.Resources)
            ? ExitCode.Resources
            : ExitCode.Data;
        session.Terminal.Fail(new Failure(code, $"{failed.Length} of {job.Items.Count} files failed: {string.Join(", ", failed)}."));
        return code;
    }
}
