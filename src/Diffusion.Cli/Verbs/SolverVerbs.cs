using System.CommandLine;
using System.Text.Json.Nodes;
using Diffusion.Cli.Options;
using Diffusion.Cli.Shell;
using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Native;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.Settings;
using Diffusion.Solvers;
using Spectre.Console;

namespace Diffusion.Cli.Verbs;

/// <summary>What the verbs about solvers share.</summary>
internal static class SolverVerbs
{
    /// <summary>The solvers, with those of plug-ins.</summary>
    public static SolverCatalog Catalog(Session session, Option<string[]> plugins) => new Catalogs(session, plugins).Solvers;
}

/// <summary><c>diffusion solvers list</c>.</summary>
internal sealed class SolversListVerb : Verb
{
    private readonly Option<string[]> _plugins;

    public SolversListVerb()
        : base("list", "List the solvers") => _plugins = Take(new ProblemOptions().Plugins);

    public override IReadOnlyList<string> Examples => ["diffusion solvers list", "diffusion solvers list --json"];

    public override ExitCode Run(Session session)
    {
        SolverCatalog catalog = SolverVerbs.Catalog(session, _plugins);
        if (session.Terminal.Json)
        {
            foreach (SolverEntry entry in catalog.Entries)
                session.Terminal.PrintJson(
                    new JsonObject
                    {
                        ["name"] = entry.Name,
                        ["about"] = entry.About,
                        ["source"] = entry.Source,
                        ["presets"] = new JsonArray([.. entry.Presets.Select(preset => (JsonNode)preset.Name)]),
                    }
                );
            return ExitCode.Done;
        }
        Table table = new();
        table.AddColumns("solver", "what it is", "source");
        foreach (SolverEntry entry in catalog.Entries)
            table.AddRow(Markup.Escape(entry.Name), Markup.Escape(entry.About), Markup.Escape(entry.Source ?? ""));
        session.Terminal.Print(table);
        return ExitCode.Done;
    }
}

/// <summary><c>diffusion solvers show NAME</c>.</summary>
internal sealed class SolversShowVerb : Verb
{
    private readonly Argument<string> _name;
    private readonly Option<string?> _preset;
    private readonly Option<int?> _steps;
    private readonly Option<double?> _noise;
    private readonly Option<string> _task;
    private readonly Option<string[]> _plugins;

    public SolversShowVerb()
        : base("show", "Show every setting of a solver: type, range, default, the paper's symbol, and what presets make of it")
    {
        _name = Take(
            new Argument<string>("name")
            {
                HelpName = "NAME",
                Description = "The solver; auto: what would be chosen, and from which measurements",
            }
        );
        _preset = Take(new Option<string?>("--preset") { HelpName = "NAME", Description = "Show the values of this preset only" });
        _steps = Take(
            new Option<int?>("--steps", "-n")
            {
                HelpName = "N",
                Description = "Network evaluations that presets are asked for",
                CustomParser = Values.AtLeast(1, "evaluations"),
            }
        );
        _noise = Take(
            new Option<double?>("--noise")
            {
                HelpName = "S",
                Description = "Noise level that presets are asked for (0.02)",
                CustomParser = Values.Noise,
            }
        );
        _task = Take(
            new Option<string>("--task")
            {
                HelpName = "sr|deblur|inpaint|other",
                Description = "The task that presets are asked for",
                DefaultValueFactory = _ => "sr",
            }.AcceptOnlyFromAmong("sr", "deblur", "inpaint", "other")
        );
        _plugins = Take(new ProblemOptions().Plugins);
        _name.CompletionSources.Add(_ =>
            SolverCatalog.BuiltIn.Entries.Select(entry => new System.CommandLine.Completions.CompletionItem(entry.Name))
        );
    }

    public override IReadOnlyList<string> Examples =>
        [
            "diffusion solvers show cm4ir",
            "diffusion solvers show rdmd --preset paper --noise 0.05",
            "diffusion solvers show dpir --task deblur -n 8 --json",
            "diffusion solvers show auto --task inpaint",
        ];

    public override ExitCode Run(Session session)
    {
        string name = session.Get(_name);
        SolverCatalog catalog = SolverVerbs.Catalog(session, _plugins);
        PresetRequest request = new(
            Traits(session.Get(_task)!),
            session.Get(_noise) ?? 0.02,
            new PriorInfo
            {
                Name = "photo",
                Kind = PriorKind.PosteriorMean,
                NoiseRange = (0.01, 157),
                AnyOrientation = true,
            },
            session.Get(_steps)
        );
        if (name.Equals(SolverTable.Auto, StringComparison.OrdinalIgnoreCase))
        {
            SolverAdviceReport.Print(session.Terminal, request);
            return ExitCode.Done;
        }
        SolverEntry entry = catalog.Entries.FirstOrDefault(e => e.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
            ?? throw new UsageException(
                $"There is no solver \"{name}\"",
                "diffusion solvers show",
                NearestName.Advice(name, [.. catalog.Entries.Select(e => e.Name)])
            );
        SolverPreset[] presets = session.Get(_preset) is { } wanted
            ? [UsageException.Guard(() => entry.Preset(wanted))]
            : [.. entry.Presets.Take(2)];
        ISolver[] solvers = [.. presets.Select(preset => UsageException.Guard(() => preset.Create(request)))];
        // A preset may belong to another algorithm, whose settings are its own.
        if (solvers.All(solver => solver.GetType() != entry.Type))
            entry = catalog.Find(SolverEntry.NameOf(solvers[0]));
        (presets, solvers) = (
            [.. presets.Where((_, i) => solvers[i].GetType() == entry.Type)],
            [.. solvers.Where(solver => solver.GetType() == entry.Type)]
        );
        if (session.Terminal.Json)
            PrintJson(session.Terminal, entry, presets, solvers);
        else
            PrintTable(session.Terminal, entry, presets, solvers);
        return ExitCode.Done;
    }

    private static OperatorTraits Traits(string task) =>
        task switch
        {
            "sr" => new() { Reduction = 4 },
            "deblur" => new() { Blur = true },
            "inpaint" => new() { Mask = true },
            _ => new(),
        };

    private static void PrintTable(Terminal terminal, SolverEntry entry, SolverPreset[] presets, ISolver[] solvers)
    {
        terminal.Print($"{entry.Name}: {entry.About}");
        if (entry.Source is { } source)
            terminal.Print(source);
        Table table = new();
        table.AddColumns([
            "setting",
            "symbol",
            "type",
            "range",
            "default",
            .. presets.Select(preset => Markup.Escape(preset.Name)),
            "meaning",
        ]);
        foreach (Setting setting in entry.Settings)
            table.AddRow([
                .. (
                    (string[])
                        [
                            setting.Name,
                            setting.Symbol ?? "",
                            setting.Kind,
                            setting.Range,
                            Default(setting),
                            .. solvers.Select(setting.Get),
                            setting.About,
                        ]
                ).Select(Markup.Escape),
            ]);
        terminal.Print(table);
        terminal.Print("presets:");
        foreach (SolverPreset preset in entry.Presets)
            terminal.Print($"  {preset.Name}: {preset.About}{(preset.Source is { } from ? $" ({from})" : "")}");
    }

    private static string Default(Setting setting) => setting.Default is null ? "auto" : setting.DefaultText;

    private static void PrintJson(Terminal terminal, SolverEntry entry, SolverPreset[] presets, ISolver[] solvers)
    {
        JsonArray settings =
        [
            .. entry.Settings.Select(setting =>
                (JsonNode)
                    new JsonObject
                    {
                        ["name"] = setting.Name,
                        ["symbol"] = setting.Symbol,
                        ["type"] = setting.Kind,
                        ["range"] = setting.Range,
                        ["default"] = Default(setting),
                        ["presets"] = new JsonObject(
                            presets.Zip(solvers).Select(pair => KeyValuePair.Create(pair.First.Name, (JsonNode?)setting.Get(pair.Second)))
                        ),
                        ["about"] = setting.About,
                    }
            ),
        ];
        terminal.PrintJson(
            new JsonObject
            {
                ["name"] = entry.Name,
                ["about"] = entry.About,
                ["source"] = entry.Source,
                ["settings"] = settings,
                ["presets"] = new JsonArray([.. entry.Presets.Select(preset => (JsonNode)preset.Name)]),
            }
        );
    }
}
