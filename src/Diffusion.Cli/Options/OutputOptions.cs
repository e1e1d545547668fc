using System.CommandLine;

namespace Diffusion.Cli.Options;

/// <summary>Where results go.</summary>
internal sealed class OutputOptions
{
    /// <summary>File, folder, pattern or <c>-</c>.</summary>
    public Option<string?> Output { get; } =
        new("--output", "-o")
        {
            HelpName = "PATH",
            Description = "A file, a folder, a pattern such as \"{name}_restored.png\", or - for standard output",
        };

    /// <summary>Overwrites outputs.</summary>
    public Option<bool> Force { get; } = new("--force") { Description = "Overwrite existing outputs (never an input)" };

    /// <summary>Adds them to a verb.</summary>
    public OutputOptions AddTo(Command command)
    {
        command.Add(Output);
        command.Add(Force);
        return this;
    }
}
