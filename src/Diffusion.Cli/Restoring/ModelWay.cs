using System.CommandLine;
using System.Text.Json.Nodes;
using Diffusion.Cli.Options;
using Diffusion.Cli.Shell;
using Diffusion.Models;
using Diffusion.Pipeline;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Cli.Restoring;

/// <summary>Restores with a method that needs neither operator nor prior, or a network's file: <c>--model NAME|FILE</c>.</summary>
internal sealed class ModelWay : RestoreWay
{
    private const string Preset = "preset",
        Direct = "direct",
        Weights = "weights",
        Restores = "picture";
    private readonly MethodEntry _entry;
    private readonly Dictionary<string, string>? _set;

    public ModelWay(Session session, WayOptions way, ExecutionOptions execution, Catalogs catalogs, string name)
    {
        bool isMethod = catalogs.Methods.Entries.Any(entry => entry.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
        if (!isMethod && !IsWeights(name))
        {
            string[] names =
            [
                .. catalogs.Methods.Entries.Select(entry => entry.Name),
                .. CheckpointCatalog.Default.Entries.Where(entry => entry.Prediction == Restores).Select(entry => entry.Name),
            ];
            throw new UsageException($"There is no model \"{name}\", and no such file", "--model", NearestName.Advice(name, names));
        }
        _entry = catalogs.Methods.Find(isMethod ? name : Direct);
        bool hasPresets = _entry.Settings.Any(setting => setting.IsNamed(Preset));
        if (way.NotForModels.FirstOrDefault(option => session.Has(option) && !(hasPresets && option == way.Solver.Preset)) is { } option)
            throw new UsageException(
                $"{option.Name} is nothing for a model, which needs no operator, noise, solver or prior",
                $"--model {name}",
                $"Leave {option.Name} or --model out; a model's own settings are given with --model-set"
            );
        _set = session.Get(way.ModelSet);
        if (!isMethod)
            _set = new(_set ?? [], StringComparer.OrdinalIgnoreCase) { [Weights] = name };
        if (hasPresets && session.Get(way.Solver.Preset) is { } preset)
            _set = new(_set ?? [], StringComparer.OrdinalIgnoreCase) { [Preset] = preset };
        UsageException.Guard(() => _entry.Create(_set)).Dispose();
        Options = new RunOptions
        {
            Reading = way.Reading.Of(session),
            Seed = session.Get(way.Solver.Seed),
            Samples = session.Get(way.Samples) ?? 1,
            Tile = session.Get(execution.Tile),
            Memory = session.Get(execution.Memory),
        };
    }

    // A path, a published file's name, or what is installed where priors are.
    private static bool IsWeights(string name) =>
        File.Exists(name)
        || Directory.Exists(name)
        || PriorFiles.Names.Contains(name)
        || CheckpointCatalog.Default.Entries.Any(entry => entry.Name == name && entry.Prediction == Restores);

    /// <inheritdoc/>
    public override RunOptions Options { get; }

    /// <inheritdoc/>
    public override JsonObject SettingsOf(string input) => _entry.ItemSettings(input, Options, _set);

    /// <inheritdoc/>
    public override IRestorationMethod Create() => _entry.Create(_set);
}
