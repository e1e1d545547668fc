using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Operators;
using Diffusion.Pipeline;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.Solvers;

namespace Diffusion.ZeroShot;

/// <summary>Restores with a pretrained prior, the operator that the measurement was made with, and a solver; trains nothing.</summary>
public sealed class ZeroShotMethod : IRestorationMethod
{
    private readonly ConditionalWeakTable<Measurement, OperatorSpec> _specs = [];
    private readonly OperatorSpec? _given;
    private readonly OperatorCatalog _operators;
    private readonly KeptProblem _kept;
    private readonly bool _ownsPrior,
        _ownsKept;
    private IDenoiser? _prior;
    private MemoryEstimate? _memory;
    private (string Path, NoiseMap Map)? _map;
    private double? _secondsPerPixel;

    /// <summary>Restores with the prior that <paramref name="options"/> name, loaded when the method is opened.</summary>
    /// <exception cref="OperatorSpecException">The operator's text is no spec.</exception>
    public ZeroShotMethod(RestoreOptions options)
        : this(options, null, new KeptProblem(), ownsPrior: true, ownsKept: true) { }

    /// <summary>Restores with a prior that is there already.</summary>
    /// <param name="options">Everything else.</param>
    /// <param name="prior">The prior; owned from now on.</param>
    /// <exception cref="OperatorSpecException">The operator's text is no spec.</exception>
    public ZeroShotMethod(RestoreOptions options, IDenoiser prior)
        : this(options, prior, new KeptProblem(), ownsPrior: true, ownsKept: true) { }

    private ZeroShotMethod(RestoreOptions options, IDenoiser? prior, KeptProblem kept, bool ownsPrior, bool ownsKept)
    {
        (Options, _prior, _kept, _ownsPrior, _ownsKept) = (options, prior, kept, ownsPrior, ownsKept);
        _operators = options.Operators ?? ShippedOperators.Catalog;
        Solvers = options.Solvers ?? SolverCatalog.BuiltIn;
        _given = options.Operator?.Read(_operators) is { } spec ? Adapted(spec) : null;
    }

    /// <summary>The same prior under other options. Prior and operator stay this one's, which outlives the result.</summary>
    /// <exception cref="OperatorSpecException">The operator's text is no spec.</exception>
    public ZeroShotMethod With(RestoreOptions options) => new(options, Prior, _kept, ownsPrior: false, ownsKept: false);

    /// <summary>Restores with a prior that stays the caller's.</summary>
    internal static ZeroShotMethod Lent(IDenoiser prior) => new(new(), prior, new KeptProblem(), ownsPrior: false, ownsKept: true);

    /// <summary>What it was created with.</summary>
    public RestoreOptions Options { get; }

    /// <summary>What is known about the prior; the method must be open.</summary>
    public PriorInfo PriorInfo => Prior.Info;

    internal IDenoiser Prior =>
        _prior ?? throw new InvalidOperationException("The method is not open yet. A RestorationRunner opens what it is given.");

    internal ComputePolicy Policy { get; private set; } = new();

    internal SolverCatalog Solvers { get; }

    internal MemoryEstimate Memory => _memory ??= MemoryEstimate.Of(Prior);

    /// <summary>What decides a restoration, as far as it is known before it: what records hold and jobs compare.</summary>
    /// <param name="input">The measurement's file, or <c>-</c>.</param>
    /// <param name="options">The options; <see cref="RestoreOptions.Label"/> gives way to <paramref name="label"/>.</param>
    /// <param name="label">The measurement's class, for class-conditional priors.</param>
    /// <param name="hashes">Remembers the operator's files, which many items have in common; null: nobody needs them again.</param>
    /// <exception cref="IOException">The input, or a file of the operator, cannot be read.</exception>
    public static JsonObject Settings(string input, RestoreOptions options, long? label, FileHashes? hashes = null)
    {
        JsonObject settings = ItemFiles.Input(input, measurement: true);
        settings["operator"] = options.Operator?.ToString();
        settings["noise"] = options.Noise is { } noise && options.NoiseInFileUnits ? $"{noise}dn" : options.Noise?.ToJson();
        settings["solver"] = options.Solver;
        settings["preset"] = options.Preset;
        settings["set"] = options.Set is null
            ? null
            : new JsonObject(
                options
                    .Set.OrderBy(pair => pair.Key, StringComparer.Ordinal)
                    .Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))
            );
        settings["steps"] = options.Steps;
        settings["prior"] = options.Prior;
        settings["class"] = label;
        settings["seed"] = options.Seed;
        settings["samples"] = options.Samples;
        settings["tile"] = options.Tile;
        settings["resize_mask"] = options.ResizeMask;
        settings["crop_to_fit"] = options.CropToFit;
        options.Reading.AddTo(settings);
        // What older records do not hold is only there where it is set.
        if (options.NoiseMap is { } map)
            settings["noise_map"] = (hashes ?? new()).Of(map);
        ItemFiles.AddFiles(settings, OperatorChoice.Known(input, options), hashes ?? new());
        return settings;
    }

    /// <inheritdoc/>
    /// <exception cref="CheckpointException">There is no such prior, or it does not load.</exception>
    public void Open(ComputePolicy policy)
    {
        Policy = policy;
        _prior ??= PriorLoader.Load(Options.Prior, policy, Options.Networks);
    }

    /// <inheritdoc/>
    /// <exception cref="OperatorSpecException">It is not known how the measurement was made, or the side file's spec is wrong.</exception>
    public string KindOf(Measurement measurement) =>
        string.Join(
                ' ',
                SpecOf(measurement),
                measurement.Clean,
                string.Join("x", measurement.Y.shape),
                SeenOperator.KindOf(measurement),
                measurement.Own?.Kind
            )
            .TrimEnd();

    /// <inheritdoc/>
    /// <remarks>Those of a colour picture too, where the prior knows gray ones only.</remarks>
    public bool TakesChannels(Measurement measurement) =>
        measurement.IsOfChannels || (PriorInfo.Channels == 1 && measurement.Shape is { Channels: > 1 });

    /// <inheritdoc/>
    public IRestoration Begin(IReadOnlyList<Measurement> batch) => new ZeroShotRestoration(this, SpecOf(batch[0]), batch);

    /// <inheritdoc/>
    public double SecondsPerPixel(Measurement measurement) =>
        _secondsPerPixel ??= EvaluationTime.PerPixel(Prior, ConditionOf([measurement]));

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_ownsKept)
            _kept.Dispose();
        _map?.Map.Dispose();
        if (_ownsPrior)
            _prior?.Dispose();
    }

    /// <summary>The file that says the noise of a measurement value by value; null where none does.</summary>
    /// <exception cref="ImageException">It cannot be read, or holds values that are no standard deviations.</exception>
    internal NoiseMap? MapOf(Measurement measurement)
    {
        string? path = Options.NoiseMap
            ?? (
                Options.Noise is null && measurement.Side is { NoiseMap: not null } side
                    ? side.Beside(side.NoiseMap, measurement.Folder)
                    : null
            );
        if (path is null || _map?.Path == path)
            return path is null ? null : _map!.Value.Map;
        _map?.Map.Dispose();
        _map = (path, NoiseMap.Read(path));
        return _map.Value.Map;
    }

    /// <summary>The operator of whole pictures of this kind; kept, so that further ones cost less.</summary>
    internal BoundProblem Bind(OperatorSpec spec, Measurement measurement) =>
        _kept.Of(KindOf(measurement), () => BoundProblem.Bind(spec, measurement, PriorInfo.Channels, PriorInfo.Name, Policy.Device));

    /// <summary>The classes of a batch, for priors that need them.</summary>
    /// <exception cref="ArgumentException">A class is missing, or there is none of this number.</exception>
    internal Condition ConditionOf(IReadOnlyList<Measurement> batch)
    {
        if (PriorInfo.Classes is not { } classes)
            return default;
        long[] labels =
        [
            .. batch.Select(m =>
                m.Label
                ?? Options.Label
                ?? throw new ArgumentException(
                    $"Prior {PriorInfo.Name} is class-conditional: give a class from 0 to {classes - 1} (--class)."
                )
            ),
        ];
        if (labels.FirstOrDefault(label => label < 0 || label >= classes, -1) is >= 0 and var wrong)
            throw new ArgumentException($"Prior {PriorInfo.Name} has the classes 0 to {classes - 1}, but not {wrong}.");
        return new Condition { Labels = labels };
    }

    // The user's word, or the side file's, which is read once for each measurement.
    private OperatorSpec SpecOf(Measurement measurement)
    {
        if (_given is not null)
            return _given;
        if (!_specs.TryGetValue(measurement, out OperatorSpec? spec))
            _specs.Add(
                measurement,
                spec = Adapted(OperatorChoice.FromSideFile(_operators, measurement.Side, measurement.Folder, measurement.Name))
            );
        return spec;
    }

    private OperatorSpec Adapted(OperatorSpec spec) => Options.ResizeMask ? ResizedMask.Allow(spec) : spec;
}
