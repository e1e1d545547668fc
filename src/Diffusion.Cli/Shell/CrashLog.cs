using System.Runtime.InteropServices;

namespace Diffusion.Cli.Shell;

/// <summary>Writes what a maintainer needs to a file, so that the user sees one line.</summary>
internal static class CrashLog
{
    /// <summary>Writes the log and returns its path; says why if even that fails.</summary>
    public static string Write(Exception e)
    {
        string path = Path.Combine(Path.GetTempPath(), $"diffusion-{DateTime.UtcNow:yyyyMMdd-HHmmss}-{Environment.ProcessId}.log");
        try
        {
            File.WriteAllText(
                path,
                $"""
                diffusion {typeof(CrashLog).Assembly.GetName().Version} on {RuntimeInformation.FrameworkDescription}
                {RuntimeInformation.OSDescription} ({RuntimeInformation.RuntimeIdentifier})
                {string.Join(' ', Environment.GetCommandLineArgs())}

                {e}
                """
            );
            return path;
        }
        catch (Exception writing) when (writing is IOException or UnauthorizedAccessException)
        {
            return $"no log file ({Failure.OneLine(writing.Message)}); run again with --verbose";
        }
    }
}
