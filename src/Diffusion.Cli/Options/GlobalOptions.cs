using System.CommandLine;

namespace Diffusion.Cli.Options;

/// <summary>Options that every verb has.</summary>
internal static class GlobalOptions
{
    /// <summary>JSON Lines instead of text.</summary>
    public static Option<bool> Json { get; } = new("--json") { Description = "Print results as JSON Lines", Recursive = true };

    /// <summary>Only errors and results.</summary>
    public static Option<bool> Quiet { get; } = new("--quiet", "-q") { Description = "No messages and no progress", Recursive = true };

    /// <summary>Details and stack traces.</summary>
    public static Option<bool> Verbose { get; } =
        new("--verbose") { Description = "Show details, and stack traces of errors", Recursive = true };
}
