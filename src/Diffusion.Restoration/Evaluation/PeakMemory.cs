using System.Diagnostics;
using System.Globalization;

namespace Diffusion.Evaluation;

/// <summary>
/// The most memory that this process held since a moment. On Linux the system's own high-water mark, set back at that moment; elsewhere
/// that of the whole run.
/// </summary>
internal static class PeakMemory
{
    private const string Reset = "/proc/self/clear_refs",
        Status = "/proc/self/status";

    /// <summary>Starts to watch.</summary>
    public static void Restart()
    {
        if (!OperatingSystem.IsLinux())
            return;
        try
        {
            File.WriteAllText(Reset, "5");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Some containers forbid it: then the mark is that of the whole run.
        }
    }

    /// <summary>The mark, in megabytes (10^6 bytes).</summary>
    public static double Megabytes()
    {
        if (
            OperatingSystem.IsLinux()
            && File.Exists(Status)
            && File.ReadLines(Status).FirstOrDefault(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)) is { } mark
            && long.TryParse(mark.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture, out long kibibytes)
        )
            return kibibytes * 1024 / 1e6;
        using Process self = Process.GetCurrentProcess();
        return self.PeakWorkingSet64 / 1e6;
    }
}
