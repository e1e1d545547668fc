using System.Globalization;
using Diffusion.Inverse;
using Diffusion.Models;

namespace Diffusion.Solvers;

/// <summary>
/// CM4IR's presets: <c>paper</c> and the published settings by name. The default one, <c>few-step</c>, is <see cref="MirrorSolver"/>'s but
/// for the published consistency models.
/// </summary>
public sealed class Cm4irPresets : ISolverPresets
{
    private const string Script = "CM4IR, evaluate_CM4IR.sh";

    /// <summary>One line of the published script; deltas are optional there.</summary>
    private sealed record Published(
        string Data,
        string Task,
        double Noise,
        int StartIndex,
        double Gamma,
        double Zeta,
        double[]? Deltas = null,
        DeltaInjection Injection = DeltaInjection.Time
    )
    {
        public string Name => string.Create(CultureInfo.InvariantCulture, $"{Data}-{Task}-{Noise}");

        public Cm4irSolver Solver(PresetRequest request, bool withDeltas = false) =>
            new()
            {
                Steps = request.MaxEvaluations ?? 4,
                StartIndex = StartIndex,
                Gamma = Gamma,
                Zeta = Zeta,
                Deltas = withDeltas ? Deltas! : [],
                DeltaInjection = withDeltas ? Injection : DeltaInjection.Time,
            };
    }

    private static readonly Published[] Table =
    [
        new("bedroom", "sr4", 0.025, 400, 0.7, 0, [0, 0.5, 0.1, 0]),
        new("bedroom", "deblur", 0.025, 75, 0.01, 3, [0.1, 0, 0, 0.05]),
        new("bedroom", "inpaint", 0.025, 150, 0.2, 0, [0.1, 0.1, 0.8, 0.8], DeltaInjection.TimeAndScalings),
        new("bedroom", "letters", 0.025, 150, 0.2, 0, [0.2, 0.3, 0.8, 0.8], DeltaInjection.TimeAndScalings),
        new("bedroom", "sr4", 0.05, 250, 0.2, 0, [0, 0.3, 0.05, 0.1]),
        new("bedroom", "deblur", 0.05, 150, 0.05, 1, [0.1, 0, 0, 0.05]),
        new("bedroom", "inpaint", 0.05, 150, 0.2, 0, [0.2, 0.3, 0.8, 0.8], DeltaInjection.TimeAndScalings),
        new("bedroom", "inpaint", 0, 150, 0.2, 0, [0.2, 0.1, 1, 1], DeltaInjection.TimeAndScalings),
        new("cat", "sr4", 0.025, 400, 0.7, 0, [0, 0.3, 0, 0]),
        new("cat", "deblur", 0.025, 125, 0.05, 4),
        new("cat", "inpaint", 0.025, 150, 0.2, 0, [0, 0, 1, 1], DeltaInjection.TimeAndScalings),
        new("cat", "sr4", 0.05, 250, 0.2, 0, [0.1, 0.1, 0, 0]),
        new("cat", "deblur", 0.05, 250, 0.2, 1),
        new("cat", "inpaint", 0.05, 150, 0.2, 0, [0, 0, 1, 1], DeltaInjection.TimeAndScalings),
        new("imagenet64", "sr2", 0.01, 50, 0.01, 0),
        new("imagenet64", "sr2", 0.025, 75, 0.02, 0),
        new("imagenet64", "sr2", 0.05, 100, 0.03, 0),
    ];

    /// <inheritdoc/>
    public IReadOnlyList<SolverPreset> All { get; } =
    [
        new(
            "few-step",
            "The project's own solver mirror, which took this name's place for priors that the paper does not know; the published "
                + "settings for the published consistency models.",
            null,
            request => IsPublished(request.Prior) ? Choose(request).Solver(request) : MirrorPresets.FewStep(request)
        ),
        new("paper", "The published settings for the task and the nearest noise level; made for consistency models.", Script, request =>
            Choose(request).Solver(request)
        ),
        .. Table.Select(line => new SolverPreset(line.Name, About(line), Script, request => line.Solver(request))),
        .. Table
            .Where(line => line.Deltas is not null)
            .Select(line => new SolverPreset(line.Name + "-deltas", About(line) + ", with the optional deltas", Script, request =>
                line.Solver(request, withDeltas: true)
            )),
    ];

    /// <summary>Whether a prior is one of the consistency models that the published settings were made for.</summary>
    public static bool IsPublished(PriorInfo prior) => prior.Kind == PriorKind.Consistency && DataOf(prior) is not null;

    private static string? DataOf(PriorInfo prior) =>
        Table.Select(line => line.Data).Distinct().FirstOrDefault(name => prior.Name.Contains(name, StringComparison.OrdinalIgnoreCase));

    private static string About(Published line) =>
        string.Create(CultureInfo.InvariantCulture, $"published: {line.Task} at noise {line.Noise} ({line.Data})");

    private static Published Choose(PresetRequest request)
    {
        OperatorTraits traits = request.Traits;
        string data = DataOf(request.Prior) ?? (request.Prior.Classes is null ? "bedroom" : "imagenet64");
        string task =
            traits.Mask ? "inpaint"
            : traits.Reduction > 1 ? "sr"
            : traits.Blur ? "deblur"
            : "sr";
        Published[] lines = [.. Table.Where(line => line.Task.StartsWith(task, StringComparison.Ordinal))];
        if (lines.Any(line => line.Data == data))
            lines = [.. lines.Where(line => line.Data == data)];
        return lines.MinBy(line => Math.Abs(line.Noise - request.Noise))!;
    }
}
