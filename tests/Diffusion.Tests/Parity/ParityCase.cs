using System.Security.Cryptography;
using System.Text.Json;
using Diffusion.Checkpoints;
using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Tests.Parity;

/// <summary>
/// One folder of reference numbers: configuration, inputs, weights, draws and expected outputs of a published computation.
/// </summary>
/// <remarks>
/// <code>
/// public static TheoryData&lt;string&gt; Cases => ParityCase.All("cm4ir");
/// [Theory, MemberData(nameof(Cases))] public void Is_met(string folder)
/// {
///     using ParityCase reference = ParityCase.Open(folder);
///     ...
///     reference.AssertOutput("x_hat", actual);
///     reference.AssertAllOutputsTested();
///     reference.Config.AssertAllKeysUsed();
/// }
/// </code>
/// Opening sets libtorch to one thread and enters a <see cref="ComputeScope"/>: tensors made while the case is open go when it is disposed.
/// </remarks>
public sealed class ParityCase : IDisposable
{
    private readonly ComputeScope _scope = new();
    private readonly JsonElement _json;
    private readonly ICheckpoint? _file;
    private readonly List<ICheckpoint> _opened = [];
    private readonly Dictionary<string, Tensor> _read = [];
    private readonly HashSet<string> _tested = [];
    private readonly string[] _draws;

    private ParityCase(string folder)
    {
        torch.set_num_threads(1);
        Folder = folder;
        _json = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "case.json"))).RootElement;
        Assert.Equal(Path.GetFileName(Path.GetDirectoryName(folder)), Family);
        Config = new ConfigNode(_json.GetProperty("config"), "config");
        string tensors = Path.Combine(folder, "tensors.safetensors");
        if (File.Exists(tensors))
            _opened.Add(_file = Checkpoint.Open(tensors));
        _draws = _json.TryGetProperty("draws", out JsonElement draws) ? [.. draws.EnumerateArray().Select(name => name.GetString()!)] : [];
    }

    /// <summary>The case's folder.</summary>
    public string Folder { get; }

    /// <summary>The family's name.</summary>
    public string Family => _json.GetProperty("family").GetString()!;

    /// <summary>The configuration.</summary>
    public ConfigNode Config { get; }

    /// <summary>Names of the inputs.</summary>
    public IReadOnlyList<string> Inputs => Names("inputs");

    /// <summary>Names of the expected outputs.</summary>
    public IReadOnlyList<string> Outputs => Names("outputs");

    /// <summary>The recorded draws in order of consumption, float32; owned by the case.</summary>
    public IReadOnlyList<Tensor> Draws => [.. _draws.Select(Stored)];

    /// <summary>What each draw is (<c>draw_order</c>); empty in families without labels.</summary>
    public IReadOnlyList<string> DrawLabels => Config.Has("draw_order") ? Config.Strings("draw_order") : [];

    /// <summary>
    /// The folders of all cases of a family, under every root, equal copies once. Without any root or case: one empty name, which <see
    /// cref="Open"/> skips or fails.
    /// </summary>
    public static TheoryData<string> All(string family)
    {
        string[] folders =
        [
            .. TestPaths
                .ParityRoots.Select(root => Path.Combine(root, family))
                .Where(Directory.Exists)
                .SelectMany(Directory.GetDirectories)
                .Where(folder => File.Exists(Path.Combine(folder, "case.json")))
                .DistinctBy(folder => (Path.GetFileName(folder), Fingerprint(folder)))
                .Order(StringComparer.Ordinal),
        ];
        return
        [
            .. folders
                .DefaultIfEmpty("")
                .Select(folder => new TheoryDataRow<string>(folder) { Label = $"{family}/{Path.GetFileName(folder)}" }),
        ];
    }

    private static string Fingerprint(string folder) =>
        string.Join(
            " ",
            Directory
                .GetFiles(folder)
                .Order(StringComparer.Ordinal)
                .Select(file => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file))))
        );

    /// <summary>
    /// Opens a case. An empty name is skipped where there are no reference numbers at all; it fails under CI and where only this family is
    /// missing.
    /// </summary>
    public static ParityCase Open(string folder)
    {
        if (folder.Length > 0)
            return new ParityCase(folder);
        const string Hint = "Put the folder \"shared\" beside the repository or set DIFFUSION_SHARED.";
        if (TestPaths.ParityRoots.Any())
            Assert.Fail($"This family has no cases. {Hint}");
        if (Environment.GetEnvironmentVariable("CI") == "true")
            Assert.Fail($"There are no reference numbers. {Hint}");
        Assert.Skip($"There are no reference numbers. {Hint}");
        throw new InvalidOperationException();
    }

    /// <summary>A data file beside the families, for example <c>gendeg/mu-sigma.json</c>.</summary>
    public static string DataFile(string relative) =>
        TestPaths.ParityRoots.Select(root => Path.Combine(root, relative)).FirstOrDefault(File.Exists)
        ?? throw new FileNotFoundException($"No parity root holds {relative}.");

    /// <summary>Whether the case has such an input.</summary>
    public bool HasInput(string name) => Inputs.Contains(name);

    /// <summary>An input in its stored dtype; owned by the case.</summary>
    public Tensor Input(string name)
    {
        Assert.True(HasInput(name), $"The case has no input {name}.");
        return Stored(name);
    }

    /// <summary>An expected output; owned by the case. Does not count as tested.</summary>
    public Tensor Expected(string name) => Stored(name);

    /// <summary>
    /// The case's weights under their published names: its own, or those of the case that <c>weights_from</c> names, without
    /// <c>weights_ignore</c>.
    /// </summary>
    /// <param name="part">A further prefix, for example <c>unet.</c> in families with a <c>weights_layout</c>.</param>
    public ICheckpoint Weights(string part = "")
    {
        HashSet<string> ignored = Config.Has("weights_ignore") ? [.. Config.Strings("weights_ignore")] : [];
        (ICheckpoint file, string prefix) = Config.Has("weights_from")
            ? WeightsOf(Config.String("weights_from"))
            : (_file!, _json.GetProperty("weights_prefix").GetString()!);
        ICheckpoint view = new CheckpointView(file, prefix + part, name => !ignored.Contains(part + name));
        Assert.NotEmpty(view.Tensors);
        return view;
    }

    /// <summary>Loads the weights strictly, as float32.</summary>
    public void LoadInto(Network network, string part = "") => StateDictLoader.Load(network.Parameters, Weights(part));

    /// <summary>The draws as a noise source; roles follow the labels.</summary>
    /// <param name="drawn">Which labels to hand out; null: all.</param>
    public ReplayedNoise Noise(Func<string, bool>? drawn = null)
    {
        IReadOnlyList<string> labels = DrawLabels;
        Assert.Equal(_draws.Length, labels.Count);
        return new ReplayedNoise([
            .. Draws.Zip(labels).Where(entry => drawn?.Invoke(entry.Second) ?? true).Select(entry => (RoleOf(entry.Second), entry.First)),
        ]);
    }

    /// <summary>
    /// Holds a result to its tolerance: |actual - expected| at most factor * (atol + rtol |expected|) everywhere, equal shapes, no NaN;
    /// integers and truth values must be equal.
    /// </summary>
    public void AssertOutput(string name, Tensor actual, double factor = 1)
    {
        Assert.True(Outputs.Contains(name), $"The case has no output {name}.");
        _tested.Add(name);
        JsonElement tolerance = _json.GetProperty("outputs").GetProperty(name);
        TensorAssert.Close(
            name,
            Stored(name),
            actual,
            factor * tolerance.GetProperty("atol").GetDouble(),
            factor * tolerance.GetProperty("rtol").GetDouble()
        );
    }

    /// <summary>Fails when an expected output was not compared.</summary>
    public void AssertAllOutputsTested()
    {
        string[] left = [.. Outputs.Where(name => !_tested.Contains(name))];
        Assert.True(left.Length == 0, $"Outputs that were not tested: {string.Join(", ", left)}.");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (ICheckpoint file in _opened)
            file.Dispose();
        _scope.Dispose();
    }

    private string[] Names(string key) =>
        _json.TryGetProperty(key, out JsonElement entries) ? [.. entries.EnumerateObject().Select(entry => entry.Name)] : [];

    private Tensor Stored(string name)
    {
        if (_read.TryGetValue(name, out Tensor? tensor))
            return tensor;
        Assert.True(_file is not null && _file.Tensors.ContainsKey(name), $"tensors.safetensors has no {name}.");
        tensor = _file!.Tensors[name].Read();
        return _read[name] = tensor;
    }

    private (ICheckpoint File, string Prefix) WeightsOf(string other)
    {
        string file = DataFile(Path.Combine(other, "tensors.safetensors"));
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(Path.Combine(Path.GetDirectoryName(file)!, "case.json")));
        ICheckpoint checkpoint = Checkpoint.Open(file);
        _opened.Add(checkpoint);
        return (checkpoint, json.RootElement.GetProperty("weights_prefix").GetString()!);
    }

    private static NoiseRole RoleOf(string label)
    {
        if (label.StartsWith("measurement noise", StringComparison.Ordinal))
            return NoiseRole.Measurement;
        if (label.StartsWith("initial noise", StringComparison.Ordinal) || label.StartsWith("x_T", StringComparison.Ordinal))
            return NoiseRole.Start;
        string[] words = label.Split([' ', ':'], StringSplitOptions.RemoveEmptyEntries);
        Assert.True(words.Length >= 2 && words[0] is "step" or "move" && int.TryParse(words[1], out _), $"Unknown draw label \"{label}\".");
        return words is [_, _, "missing" or "after" or "before", ..] ? NoiseRole.Spectral : NoiseRole.Step;
    }
}
