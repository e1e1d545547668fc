namespace Diffusion.Cli.Shell;

/// <summary>What the process ends with.</summary>
internal enum ExitCode
{
    /// <summary>Done.</summary>
    Done = 0,

    /// <summary>The input or the data is at fault, or some files failed.</summary>
    Data = 1,

    /// <summary>The command line is at fault.</summary>
    Usage = 2,

    /// <summary>Not enough memory or disk.</summary>
    Resources = 3,

    /// <summary>A bug of ours.</summary>
    Bug = 70,

    /// <summary>Interrupted by Ctrl-C.</summary>
    Interrupted = 130,

    /// <summary>Asked to stop by the system.</summary>
    Terminated = 143,
}
