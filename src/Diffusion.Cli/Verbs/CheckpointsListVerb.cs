using System.Text.Json.Nodes;
using Diffusion.Checkpoints;
using Diffusion.Cli.Shell;
using Diffusion.Models;
using Spectre.Console;

namespace Diffusion.Cli.Verbs;

/// <summary><c>diffusion checkpoints list</c>: the priors that are installed and the published files that are recognised.</summary>
internal sealed class CheckpointsListVerb()
    : Verb("list", "List installed priors and published checkpoints that are recognised, with their licences")
{
    public override IReadOnlyList<string> Examples => ["diffusion checkpoints list", "diffusion checkpoints list --json"];

    public override ExitCode Run(Session session)
    {
        IReadOnlyList<string> installed = PriorFiles.Names;
        if (session.Terminal.Json)
        {
            foreach (string name in installed)
                session.Terminal.PrintJson(
                    new JsonObject
                    {
                        ["name"] = name,
                        ["installed"] = true,
                        ["file"] = PriorFiles.Find(name).Weights,
                        ["licence"] = Licence(name),
                    }
                );
            foreach (CatalogEntry entry in CheckpointCatalog.Default.Entries)
            {
                session.Terminal.PrintJson(
                    new JsonObject
                    {
                        ["name"] = entry.Name,
                        ["title"] = entry.Title,
                        ["installed"] = installed.Contains(entry.Name),
                        ["files"] = new JsonArray([.. entry.Files.Select(file => (JsonNode)file)]),
                        ["prediction"] = entry.Prediction,
                        ["size_mb"] = entry.SizeMegabytes,
                        ["licence"] = entry.Licence,
                        ["home"] = entry.Home,
                        ["sources"] = new JsonArray([.. entry.Sources.Select(source => (JsonNode)source)]),
                        ["sha256"] = entry.Sha256,
                    }
                );
            }
            return ExitCode.Done;
        }
        session.Terminal.Print("Installed priors:");
        foreach (string name in installed)
            session.Terminal.Print($"  {name}: {PriorFiles.Find(name).Weights}{(Licence(name) is { } licence ? $" ({licence})" : "")}");
        if (installed.Count == 0)
            session.Terminal.Print("  none (diffusion checkpoints where)");
        session.Terminal.Print("");
        session.Terminal.Print("Published files that are recognised:");
        Table table = new();
        table.AddColumns("name", "what it is", "file", "MB", "licence", "home page");
        foreach (CatalogEntry entry in CheckpointCatalog.Default.Entries)
            table.AddRow([
                .. (
                    (string[])
                        [
                            entry.Name,
                            entry.Title,
                            entry.Files[0],
                            entry.SizeMegabytes?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "",
                            entry.Licence,
                            entry.Home ?? "",
                        ]
                ).Select(Markup.Escape),
            ]);
        session.Terminal.Print(table);
        return ExitCode.Done;
    }

    private static string? Licence(string name)
    {
        if (CheckpointCatalog.Default.Find(name) is { } entry)
            return entry.Licence;
        return PriorFiles.Find(name).Card is { } card && JsonNode.Parse(File.ReadAllText(card)) is JsonObject json
            ? (string?)json["licence"]
            : null;
    }
}
