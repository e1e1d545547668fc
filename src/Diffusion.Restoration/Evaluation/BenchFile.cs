using Diffusion.Numerics;
using Diffusion.Runtime;

namespace Diffusion.Evaluation;

/// <summary>Reads a benchmark's plan from a small YAML file.</summary>
/// <example><code>
/// title: Restoration at few steps
/// operators:
///   - downsample:factor=4
///   - operator: blur:sigma=2
///     noise: [0.02, 0.05]
/// noise: 0.02
/// solvers:
///   - dpir
///   - solver: cm4ir
///     preset: few-step
///     set: {eta: 0.1}
///     steps: 4
/// steps: [4, 8, 16]
/// priors: photo
/// seeds: 0
/// repeat: 3
/// </code></example>
public static class BenchFile
{
    private static readonly string[] Keys =
    [
        "title",
        "sizes",
        "operators",
        "noise",
        "solvers",
        "priors",
        "steps",
        "seeds",
        "repeat",
        "border",
        "margin",
        "baselines",
        "shown",
    ];
    private static readonly string[] OperatorKeys = ["operator", "noise"];
    private static readonly string[] SolverKeys = ["solver", "preset", "set", "steps"];

    /// <summary>Reads a file. Names of operators and solvers are checked by <see cref="BenchPlan.Checked"/>.</summary>
    /// <exception cref="DiffusionException">
    /// It cannot be read, or has unknown keys or impossible values; the message names the line.
    /// </exception>
    public static BenchPlan Read(string path)
    {
        try
        {
            using StreamReader text = new(path);
            return Parse(text, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DiffusionException("The bench file cannot be read", path, "Check the path and its permissions", e);
        }
    }

    /// <summary>Reads a plan from text.</summary>
    /// <param name="text">YAML.</param>
    /// <param name="name">How errors call it.</param>
    /// <exception cref="DiffusionException">Unknown keys or impossible values.</exception>
    public static BenchPlan Parse(TextReader text, string name)
    {
        YamlMap map = YamlMap.Load(text, name, Keys);
        BenchPlan defaults = new();
        return new BenchPlan
        {
            Title = map.Value("title", Path.GetFileNameWithoutExtension(name), word => word),
            Sizes = map.List("sizes", BenchSize.Parse) ?? defaults.Sizes,
            Operators = map.List("operators", word => new BenchOperator(word), OperatorKeys, Operator) ?? [],
            Noise = map.List("noise", BenchNumbers.Noise) ?? defaults.Noise,
            Solvers = map.List("solvers", word => new BenchSolver(word), SolverKeys, Solver) ?? [],
            Priors = map.List("priors", word => word) ?? defaults.Priors,
            Steps = map.List("steps", BenchNumbers.Steps) ?? defaults.Steps,
            Seeds = map.List("seeds", BenchNumbers.Seed) ?? defaults.Seeds,
            Repeat = map.Value("repeat", defaults.Repeat, text => Count("repeat", text, 1)),
            Border = map.Value("border", defaults.Border, text => Count("border", text, 0)),
            Margin = map.Value("margin", defaults.Margin, text => Count("margin", text, 0)),
            Shown = map.Value("shown", defaults.Shown, text => Count("shown", text, 0)),
            Baselines = map.Value("baselines", defaults.Baselines, text =>
                bool.TryParse(text, out bool wanted) ? wanted : throw new ArgumentException($"baselines is true or false, not \"{text}\".")
            ),
        };
    }

    private static BenchOperator Operator(YamlMap map) => new(map.Word("operator"), map.List("noise", BenchNumbers.Noise));

    private static BenchSolver Solver(YamlMap map) =>
        new(map.Word("solver"))
        {
            Preset = map.Value("preset", (string?)null, word => word),
            Set = map.Pairs("set"),
            Steps = map.List("steps", BenchNumbers.Steps),
        };

    private static int Count(string key, string text, int least) =>
        BenchNumbers.Whole(text) is { } value && value >= least
            ? value
            : throw new ArgumentException($"{key} is a whole number from {least}, not \"{text}\".");
}
