using System.Text.Json.Nodes;
using Diffusion.Cli.Options;
using Diffusion.Cli.Shell;
using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Pipeline;
using Diffusion.Restoration;
using Diffusion.ZeroShot;

namespace Diffusion.Cli.Restoring;

/// <summary>Restores with a pretrained prior, the operator that a picture was measured with, and a solver.</summary>
internal sealed class ZeroShotWay : RestoreWay
{
    private readonly Session _session;
    private readonly WayOptions _way;
    private readonly OperatorSpec? _spec;
    private readonly RestoreOptions _options;
    private readonly FileHashes _hashes = new();
    private Classes _classes = Classes.None;
    private ZeroShotMethod? _method;

    public ZeroShotWay(Session session, WayOptions way, ExecutionOptions execution, Catalogs catalogs)
    {
        if (session.Has(way.ModelSet))
            throw new UsageException("--model-set belongs to a model", null, "Choose one with --model");
        (_session, _way) = (session, way);
        _spec = RestoreSettings.Operator(session, way.Problem, catalogs.Operators);
        RestoreSettings.CheckSolver(session, way.Solver, catalogs.Solvers);
        _options = RestoreSettings.Options(session, way.Solver, execution) with
        {
            Operator = _spec,
            Noise = session.Get(way.Problem.Noise)?.Model,
            NoiseMap = RestoreSettings.NoiseMap(session, way.Problem),
            NoiseInFileUnits = session.Get(way.Problem.Noise)?.InFileUnits ?? false,
            Reading = way.Reading.Of(session) with { Operator = _spec },
            Samples = session.Get(way.Samples) ?? 1,
            Label = session.Get(way.Label),
            ResizeMask = session.Get(way.Problem.ResizeMask),
            CropToFit = session.Get(way.Problem.CropToFit),
            Operators = catalogs.Operators,
            Solvers = catalogs.Solvers,
            Networks = catalogs.Networks,
        };
    }

    /// <inheritdoc/>
    public override RunOptions Options => _options;

    /// <inheritdoc/>
    public override void Check(IReadOnlyList<string> inputs)
    {
        _classes = Classes.Read(_session.Get(_way.Classes), _session.Get(_way.Label));
        RestoreSettings.CheckPrior(_session, _way.Solver);
        foreach (string input in inputs)
            RequireOperator(input);
        foreach (string note in _spec?.Notes() ?? [])
            _session.Terminal.Say($"{note}.");
    }

    /// <inheritdoc/>
    public override JsonObject SettingsOf(string input) => ZeroShotMethod.Settings(input, _options, _classes.Of(input), _hashes);

    /// <inheritdoc/>
    public override long? LabelOf(string input) => _classes.Of(input);

    /// <inheritdoc/>
    public override IRestorationMethod Create() => _method = new ZeroShotMethod(_options);

    /// <inheritdoc/>
    public override string? Warning() =>
        _classes.Any && _method is { PriorInfo: { Classes: null } prior }
            ? $"Prior {prior.Name} knows no classes: --class and --classes change nothing."
            : null;

    private void RequireOperator(string input)
    {
        if (_spec is not null && (_session.Has(_way.Problem.Noise) || _options.NoiseMap is not null))
            return;
        SideFile? side = input == ImageFile.Standard ? null : SideFile.Find(input);
        if (side is not null)
            return;
        string missing = _spec is null ? "-A SPEC" : "--noise";
        throw new UsageException(
            $"{missing} is missing, and there is no side file that says it",
            input,
            _spec is null
                ? "Say how the picture was degraded, for example -A \"downsample:factor=4\" --noise 0.02"
                : "Give the noise's standard deviation on the [0,1] scale, or --noise auto"
        );
    }
}
