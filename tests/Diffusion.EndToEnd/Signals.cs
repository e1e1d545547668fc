using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Diffusion.EndToEnd;

/// <summary>Signals of Unix.</summary>
internal static partial class Signals
{
    /// <summary>Sends one to a process.</summary>
    public static void Send(Process process, int signal) => Assert.Equal(0, kill(process.Id, signal));

    [LibraryImport("libc")]
    private static partial int kill(int pid, int signal);
}
