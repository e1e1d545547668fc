using System.Text.Json.Nodes;
using Diffusion.Cli.Options;
using Diffusion.Cli.Shell;
using Diffusion.Faces;
using Diffusion.Inverse;
using Diffusion.Pipeline;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.ZeroShot;

namespace Diffusion.Cli.Restoring;

/// <summary>What restores the faces on a command line; wrong options are found when it is made.</summary>
internal sealed class FaceWay
{
    private const string Small = "small",
        ZeroShot = "zero-shot",
        Shipped = "face-small",
        Bundle = "osdface",
        Blur = "blur:sigma=2";

    // Estimated noise would be that of an enlarged face, next to none, against which the prior builds up false detail.
    private const double Noise = 0.03;

    private readonly MethodEntry? _entry;
    private readonly Dictionary<string, string> _set;
    private readonly RestoreOptions _zeroShot;
    private readonly FaceRestorerOptions _options;
    private readonly bool _priorBackground;

    public FaceWay(Session session, FaceOptions options, ExecutionOptions execution)
    {
        MethodCatalog methods = new Catalogs(session, options.Plugins).Methods;
        string name = session.Get(options.Model) ?? Small;
        _set = new(session.Get(options.ModelSet) ?? [], StringComparer.OrdinalIgnoreCase);
        FaceColorFix fix = session.Get(options.ColorFix);
        if (!name.Equals(ZeroShot, StringComparison.OrdinalIgnoreCase))
        {
            _entry = Find(methods, ref name);
            if (fix != FaceColorFix.None && Has("color-fix"))
                (_set["color-fix"], fix) = (fix.ToString(), FaceColorFix.None);
        }
        else if (_set.Count > 0)
            throw new UsageException("--model-set belongs to a model with settings", "--model zero-shot", "Leave it out");
        if (session.Get(options.Preset) is { } preset)
            _set["preset"] = Has("preset")
                ? preset
                : throw new UsageException(
                    $"Model {name} has no presets",
                    "--preset",
                    "Leave it out, or pass OSDFace's folder with --model"
                );
        if (_entry is not null)
            UsageException.Guard(() => _entry.Create(_set)).Dispose();
        _zeroShot = new RestoreOptions
        {
            Operator = Blur,
            Noise = Noise,
            Seed = session.Get(options.Seed),
            Tile = session.Get(execution.Tile),
            Memory = session.Get(execution.Memory),
        };
        _options = new FaceRestorerOptions
        {
            Aligned = session.Get(options.Aligned),
            OnlyCenter = session.Get(options.OnlyCenter),
            ColorFix = fix,
            Scale = session.Get(options.Scale) ?? 1,
            Batch = session.Get(execution.Batch) ?? 1,
        };
        _priorBackground = session.Get(options.Background) == "restore" && _options.Scale > 1;
        if (_options.Aligned && (_options.OnlyCenter || _options.Scale > 1))
            throw new UsageException(
                "--aligned pictures have one face and no background",
                "--aligned",
                "Leave --only-center and --scale out"
            );
        bool Has(string setting) => _entry?.Settings.Any(one => one.IsNamed(setting)) ?? false;
    }

    /// <summary>What decides the restoration of a photograph.</summary>
    public JsonObject SettingsOf(string input)
    {
        JsonObject settings = _entry?.ItemSettings(input, _zeroShot, BundleSet()) ?? ZeroShotMethod.Settings(input, _zeroShot, null);
        settings["faces"] = new JsonObject
        {
            ["aligned"] = _options.Aligned,
            ["only_center"] = _options.OnlyCenter,
            ["color_fix"] = _options.ColorFix.ToString().ToLowerInvariant(),
            ["scale"] = _options.Scale,
            ["background"] = _priorBackground ? "restore" : "lanczos",
        };
        return settings;
    }

    /// <summary>Opens it; the caller disposes it.</summary>
    public FaceRestorer Open(ComputePolicy policy)
    {
        RestoreOptions run = _zeroShot with { Policy = policy };
        RestorationRunner faces = new(_entry?.Create(_set) ?? new ZeroShotMethod(run), run);
        if (!_priorBackground)
            return new(faces, _options);
        RestoreOptions enlarge = run with { Operator = $"downsample:factor={_options.Scale}" };
        return new(faces, _options, new(new ZeroShotMethod(enlarge), enlarge));
    }

    // Records do not say where on this machine a bundle lies.
    private Dictionary<string, string> BundleSet() =>
        _set.ToDictionary(
            pair => pair.Key,
            pair => Directory.Exists(pair.Value) ? Path.GetFileName(Path.GetFullPath(pair.Value).TrimEnd('/')) : pair.Value
        );

    private MethodEntry Find(MethodCatalog methods, ref string name)
    {
        string wanted = name;
        string[] names = [.. methods.Entries.Select(entry => entry.Name)];
        if (Directory.Exists(wanted))
        {
            _set["bundle"] = wanted;
            name = Bundle;
        }
        else if (wanted.Equals(Small, StringComparison.OrdinalIgnoreCase) && (FaceSmall.IsInstalled || _set.ContainsKey("model")))
            name = Shipped;
        else if (!names.Contains(wanted, StringComparer.OrdinalIgnoreCase))
            throw wanted == Small
                ? new UsageException(
                    "It is not said what restores the faces, and no small face model ships",
                    "--model",
                    "Pass --model FOLDER with OSDFace's published files (diffusion checkpoints list says where they are), or "
                        + "--model zero-shot"
                )
                : new UsageException(
                    $"There is no model and no folder \"{wanted}\"",
                    "--model",
                    NearestName.Advice(wanted, [.. names, ZeroShot])
                );
        return methods.Find(name);
    }
}
