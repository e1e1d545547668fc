using Diffusion.Pipeline;
using Diffusion.Runtime;

namespace Diffusion.Cli.Shell;

/// <summary>What an exception means to the user: one line and an exit code.</summary>
internal sealed record Failure(ExitCode Code, string Line)
{
    /// <summary>Explains an exception.</summary>
    public static Failure Of(Exception e) =>
        e switch
        {
            UsageException or JobException => new(ExitCode.Usage, e.Message),
            ResourceException => new(ExitCode.Resources, e.Message),
            DiffusionException => new(ExitCode.Data, e.Message),
            _ when FileJob.IsOutOfMemory(e) => new(ExitCode.Resources, NoMemory),
            IOException when IsDiskFull(e) => new(ExitCode.Resources, $"The disk is full ({OneLine(e.Message)}). Free some space."),
            FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException or IOException or PathTooLongException =>
                new(ExitCode.Data, OneLine(e.Message)),
            DllNotFoundException or TypeInitializationException => new(
                ExitCode.Bug,
                $"A native library cannot be loaded ({OneLine(Innermost(e).Message)}). Run diffusion doctor."
            ),
            _ => new(ExitCode.Bug, $"This is a bug in diffusion ({e.GetType().Name}: {OneLine(e.Message)})."),
        };

    private const string NoMemory = "Not enough memory. Use --tile or --memory, a smaller --batch, or smaller pictures.";

    private static bool IsDiskFull(Exception e) => (e.HResult & 0xFFFF) is 28 or 0x70 or 0x27;

    private static Exception Innermost(Exception e) => e.InnerException is { } inner ? Innermost(inner) : e;

    /// <summary>A message without line breaks.</summary>
    public static string OneLine(string message) =>
        string.Join(' ', message.Split((char[])['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
}
