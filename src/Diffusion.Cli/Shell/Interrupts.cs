using System.Runtime.InteropServices;

namespace Diffusion.Cli.Shell;

/// <summary>Ctrl-C and SIGTERM: the first asks the work to finish cleanly, however long that takes; the second quits at once.</summary>
internal sealed partial class Interrupts : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private int _signals;

    /// <summary>Starts to listen.</summary>
    public Interrupts()
    {
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Handle(context, ExitCode.Interrupted)));
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Handle(context, ExitCode.Terminated)));
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>The exit code of the first signal; <see cref="ExitCode.Done"/> before it.</summary>
    public ExitCode Code { get; private set; }

    private void Handle(PosixSignalContext context, ExitCode code)
    {
        context.Cancel = true;
        if (Interlocked.Increment(ref _signals) > 1)
            QuitAtOnce((int)code);
        Code = code;
        Console.Error.WriteLine(
            code == ExitCode.Interrupted
                ? "Stopping after the current evaluation; Ctrl-C again quits at once."
                : "Stopping after the current evaluation."
        );
        _source.Cancel();
    }

    /// <summary>Skips finalizers and exit handlers, which would wait for libtorch's threads.</summary>
    private static void QuitAtOnce(int code)
    {
        if (OperatingSystem.IsWindows())
            Environment.Exit(code);
        else
            _exit(code);
    }

    [LibraryImport("libc")]
    private static partial void _exit(int code);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
            registration.Dispose();
        _source.Dispose();
    }
}
