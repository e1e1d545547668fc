using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Diffusion.Checkpoints;
using Diffusion.Cli.Options;
using Diffusion.Cli.Shell;
using Diffusion.Models;
using Diffusion.Runtime;

namespace Diffusion.Cli.Verbs;

/// <summary><c>diffusion checkpoints inspect FILE</c>: what a weight file holds.</summary>
internal sealed class CheckpointsInspectVerb : Verb
{
    private readonly Argument<string> _file;
    private readonly Option<string[]> _plugins;
    private readonly Option<bool> _tensors;

    public CheckpointsInspectVerb()
        : base("inspect", "Show the architecture and the tensors of any checkpoint or prior")
    {
        _file = Take(
            new Argument<string>("file")
            {
                HelpName = "FILE",
                Description = "A .safetensors, .pt, .pth or .ckpt file, a folder of diffusers, or a prior's name",
            }
        );
        _tensors = Take(new Option<bool>("--tensors") { Description = "List every tensor" });
        _plugins = Take(new ProblemOptions().Plugins);
    }

    public override IReadOnlyList<string> Examples =>
        [
            "diffusion checkpoints inspect model.pt",
            "diffusion checkpoints inspect photo",
            "diffusion checkpoints inspect model.safetensors --tensors",
            "diffusion checkpoints inspect model.pt --json",
        ];

    public override ExitCode Run(Session session)
    {
        PriorFiles files = PriorFiles.Find(session.Get(_file));
        string file = files.Weights;
        PriorCard? card = CardOf(files, session.Terminal);
        CheckpointSummary summary = CheckpointInspector.Inspect(file, new Catalogs(session, _plugins).Networks);
        if (session.Terminal.Json)
            session.Terminal.PrintJson(ToJson(summary, card));
        else
            PrintText(session.Terminal, summary, card);
        if (session.Get(_tensors))
            PrintTensors(session.Terminal, file);
        return ExitCode.Done;
    }

    /// <summary>What the card says; a card that cannot be used does not hide what the weights are.</summary>
    private static PriorCard? CardOf(PriorFiles files, Terminal terminal)
    {
        try
        {
            return files.Card is { } card ? PriorCard.Read(card) : null;
        }
        catch (CheckpointException unusable)
        {
            terminal.Warn(unusable.Message);
            return null;
        }
    }

    private static JsonObject ToJson(CheckpointSummary summary, PriorCard? card) =>
        new()
        {
            ["file"] = summary.Path,
            ["format"] = summary.Format,
            ["bytes"] = summary.Bytes,
            ["tensors"] = summary.Tensors,
            ["elements"] = summary.Elements,
            ["dtypes"] = new JsonObject(summary.Dtypes.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))),
            ["metadata"] = new JsonObject(summary.Metadata.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))),
            ["kind"] = summary.Identity?.Architecture.Kind,
            ["config"] = summary.Identity?.Architecture.Config.DeepClone(),
            ["prefix"] = summary.Identity?.Prefix,
            ["entry"] = summary.Identity?.Entry?.Name,
            ["prediction"] = summary.Identity?.Card?["prediction"]?.DeepClone(),
            ["schedule"] = summary.Identity?.Card?["schedule"]?.DeepClone(),
            ["usable_as_prior"] = summary.Identity?.Card is not null,
            ["note"] = summary.Identity?.Note,
            ["rmse"] = card?.RmseTable is { } rows ? new JsonArray([.. rows.Select(row => new JsonArray(row.Sigma, row.Rmse))]) : null,
        };

    private static void PrintText(Terminal terminal, CheckpointSummary summary, PriorCard? card)
    {
        terminal.Print($"file          {summary.Path}, {summary.Format}, {summary.Bytes / 1e6:0.0} MB");
        terminal.Print(
            $"tensors       {summary.Tensors}, {summary.Elements / 1e6:0.00} million values, "
                + $"{string.Join(", ", summary.Dtypes.Select(pair => $"{pair.Value} {pair.Key}"))}"
        );
        foreach ((string key, string value) in summary.Metadata)
            terminal.Print($"metadata      {key}: {(value.Length > 100 ? value[..100] + "..." : value)}");
        if (summary.Identity is not { } identity)
        {
            terminal.Print("architecture  not recognised");
            return;
        }
        terminal.Print(
            $"architecture  {identity.Architecture.Kind}{(identity.Prefix.Length > 0 ? $", names begin with {identity.Prefix}" : "")}"
        );
        terminal.Print($"              {identity.Note}");
        foreach ((string key, JsonNode? value) in identity.Architecture.Config)
            terminal.Print($"  {key, -24} {value?.ToJsonString() ?? "null"}");
        terminal.Print($"as a prior    {(identity.Card is null ? "no" : $"yes: --prior {summary.Path}")}");
        if (identity.Card?["prediction"] is { } prediction)
            terminal.Print($"predicts      {prediction}");
        if (card?.RmseTable is { } rows)
            terminal.Print(
                "error         "
                    + string.Join(
                        ", ",
                        rows.Select(row => string.Create(CultureInfo.InvariantCulture, $"{row.Rmse:0.####} at {row.Sigma:0.###}"))
                    )
                    + " (root mean square of one evaluation at noise levels on [-1,1])"
            );
        if (identity.Entry is { } entry)
            terminal.Print($"licence       {entry.Licence}{(entry.Home is { } home ? $", {home}" : "")}");
    }

    private static void PrintTensors(Terminal terminal, string file)
    {
        using ICheckpoint checkpoint = Checkpoint.Open(file);
        foreach (TensorEntry entry in checkpoint.Tensors.Values)
        {
            if (terminal.Json)
                terminal.PrintJson(
                    new JsonObject
                    {
                        ["tensor"] = entry.Name,
                        ["dtype"] = CheckpointInspector.DtypeName(entry.Dtype),
                        ["shape"] = new JsonArray([.. entry.Shape.Select(d => (JsonNode)d)]),
                    }
                );
            else
                terminal.Print($"{entry.Name}  {CheckpointInspector.DtypeName(entry.Dtype)} [{string.Join(",", entry.Shape)}]");
        }
    }
}
