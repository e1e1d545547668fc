using System.CommandLine;
using System.Text.Json.Nodes;
using Diffusion.Cli.Options;
using Diffusion.Cli.Shell;
using Diffusion.Inverse;
using Diffusion.Operators;
using Diffusion.Runtime;
using Diffusion.Settings;

namespace Diffusion.Cli.Verbs;

/// <summary><c>diffusion operators list</c>.</summary>
internal sealed class OperatorsListVerb : Verb
{
    private readonly Option<string[]> _plugins;

    public OperatorsListVerb()
        : base("list", "List the operators with their parameters, units and ranges")
    {
        _plugins = Take(
            new Option<string[]>("--plugin") { HelpName = "DLL|DIR", Description = "Also those of an assembly (runs its code)" }
        );
    }

    public override IReadOnlyList<string> Examples => ["diffusion operators list", "diffusion operators list --json"];

    public override ExitCode Run(Session session)
    {
        OperatorCatalog catalog = OperatorVerbs.Catalog(session, _plugins);
        foreach (OperatorKind kind in catalog.Kinds)
        {
            if (session.Terminal.Json)
            {
                session.Terminal.PrintJson(
                    new JsonObject
                    {
                        ["name"] = kind.Name,
                        ["about"] = kind.About,
                        ["parameters"] = new JsonArray([.. kind.Settings.Select(Describe)]),
                        ["examples"] = new JsonArray([.. kind.Examples.Select(example => (JsonNode)example)]),
                    }
                );
                continue;
            }
            session.Terminal.Print($"{kind.Name}: {kind.About}");
            foreach (Setting setting in kind.Settings)
                session.Terminal.Print(
                    $"    {setting.Name, -12} {OperatorVerbs.Values(setting)}"
                        + (setting.DefaultText.Length > 0 ? $" (default {setting.DefaultText})" : "")
                        + (setting.About.Length > 0 ? ": " + setting.About : "")
                );
        }
        return ExitCode.Done;
    }

    private static JsonNode Describe(Setting setting) =>
        new JsonObject
        {
            ["key"] = setting.Name,
            ["values"] = OperatorVerbs.Values(setting),
            ["default"] = setting.DefaultText,
            ["unit"] = setting.Unit,
            ["required"] = setting.Required,
            ["about"] = setting.About,
        };
}
