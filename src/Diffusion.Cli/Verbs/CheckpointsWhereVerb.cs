using System.Text.Json.Nodes;
using Diffusion.Cli.Shell;
using Diffusion.Models;

namespace Diffusion.Cli.Verbs;

/// <summary><c>diffusion checkpoints where</c>: where priors are looked for.</summary>
internal sealed class CheckpointsWhereVerb() : Verb("where", "Show where priors are looked for, in order")
{
    public override IReadOnlyList<string> Examples => ["diffusion checkpoints where", "diffusion checkpoints where --json"];

    public override ExitCode Run(Session session)
    {
        foreach (string folder in PriorFiles.Folders)
        {
            if (session.Terminal.Json)
                session.Terminal.PrintJson(new JsonObject { ["folder"] = folder, ["exists"] = Directory.Exists(folder) });
            else
                session.Terminal.Print($"{folder}{(Directory.Exists(folder) ? "" : " (does not exist)")}");
        }
        session.Terminal.Say($"A path given to --prior is taken as it is; {PriorFiles.Variable} adds folders in front.");
        return ExitCode.Done;
    }
}
