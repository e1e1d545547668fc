using System.CommandLine;
using System.CommandLine.Parsing;
using Diffusion.Cli.Shell;
using Diffusion.Pipeline;

namespace Diffusion.Cli.Options;

/// <summary>Which items of a job are made: what verbs that turn files into files have in common.</summary>
internal sealed class JobOptions
{
    /// <summary>Skips complete outputs.</summary>
    public Option<bool> Resume { get; } =
        new("--resume") { Description = "Skip outputs that are complete and were made with the same settings" };

    /// <summary>One part of an array job.</summary>
    public Option<Shard?> Shard { get; } =
        new("--shard")
        {
            HelpName = "I/N|auto",
            Description = "The I-th of N fixed parts of the inputs; auto asks Slurm or Kubernetes (auto/N)",
            CustomParser = Read,
        };

    /// <summary>Adds them to a verb.</summary>
    public JobOptions AddTo(Command command)
    {
        command.Add(Resume);
        command.Add(Shard);
        return this;
    }

    /// <summary>Whether outputs may be there already: those of an earlier run, or of the other parts.</summary>
    public bool IsOneOfSeveralRuns(Session session) => session.Get(Resume) || session.Get(Shard) is not null;

    private static Shard? Read(ArgumentResult result)
    {
        try
        {
            return Pipeline.Shard.Parse(result.Tokens[^1].Value);
        }
        catch (ArgumentException e)
        {
            result.AddError(e.Message);
            return null;
        }
    }
}
