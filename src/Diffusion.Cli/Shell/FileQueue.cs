using Diffusion.Runtime;

namespace Diffusion.Cli.Shell;

/// <summary>Works through files: one that fails is reported and the others go on; a count and a list close standard error.</summary>
internal sealed class FileQueue(Session session)
{
    private readonly List<(string File, Failure Failure)> _failures = [];

    /// <summary>Runs <paramref name="work"/> on each file.</summary>
    /// <returns>The exit code: that of the failure when there is one file, otherwise 1 when some failed.</returns>
    public ExitCode Run(IReadOnlyList<string> files, Action<string, int> work)
    {
        for (int i = 0; i < files.Count; i++)
        {
            session.Cancellation.ThrowIfCancellationRequested();
            int index = i;
            Try([files[i]], files.Count, () => work(files[index], index));
        }
        return Finish(files.Count);
    }

    /// <summary>Runs one piece of work that belongs to <paramref name="files"/>; a failure of the only file is the command's own.</summary>
    public void Try(IReadOnlyList<string> files, int count, Action work)
    {
        try
        {
            work();
        }
        catch (Exception e)
            when (count > 1
                && e is not (OperationCanceledException or UsageException)
                && Failure.Of(e) is { Code: not ExitCode.Bug } failure
            )
        {
            foreach (string file in files)
                _failures.Add((file, failure));
            session.Terminal.Fail(failure, e);
        }
    }

    /// <summary>The exit code so far.</summary>
    public ExitCode Code =>
        _failures.Count == 0 ? ExitCode.Done
        : _failures.All(f => f.Failure.Code == ExitCode.Resources) ? ExitCode.Resources
        : ExitCode.Data;

    /// <summary>Closes with the count and the list of failures.</summary>
    public ExitCode Finish(int count)
    {
        if (_failures.Count > 0)
            session.Terminal.Fail(
                new Failure(Code, $"{_failures.Count} of {count} files failed: {string.Join(", ", _failures.Select(f => f.File))}.")
            );
        return Code;
    }
}
