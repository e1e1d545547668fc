using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Diffusion.Native;

/// <summary>How OpenMP's threads wait for work: read from the environment when the library is loaded.</summary>
internal static partial class OpenMpWaiting
{
    private const string Policy = "OMP_WAIT_POLICY",
        SpinCount = "GOMP_SPINCOUNT";

    /// <summary>Lets them sleep. See <see cref="RuntimeOptions.OpenMpSleeps"/>.</summary>
    public static string? Sleep()
    {
        if (Environment.GetEnvironmentVariable(Policy) is { } value)
            return $"{Policy}={value} is set in the environment";
        if (IsTorchLoaded())
            return "libtorch was loaded before";
        if (OperatingSystem.IsWindows())
        {
            _putenv_s(Policy, "PASSIVE");
            return null;
        }
        // .NET keeps its own copy of the environment: only the C library's call reaches native code. 0 = keep a value that is there.
        setenv(Policy, "PASSIVE", 0);
        // Long enough to be awake for the next operator, short enough not to hold a core that another program wants.
        setenv(SpinCount, "1000", 0);
        return null;
    }

    private static bool IsTorchLoaded()
    {
        const string Name = "torch_cpu";
        if (OperatingSystem.IsLinux())
            return File.ReadAllText("/proc/self/maps").Contains(Name, StringComparison.Ordinal);
        using Process self = Process.GetCurrentProcess();
        return self.Modules.Cast<ProcessModule>().Any(module => module.FileName.Contains(Name, StringComparison.Ordinal));
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int setenv(string name, string value, int overwrite);

    [LibraryImport("ucrtbase", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int _putenv_s(string name, string value);
}
