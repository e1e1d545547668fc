using System.Globalization;
using Diffusion.Inverse;
using Diffusion.Models;

namespace Diffusion.Solvers;

/// <summary>CM4IR's presets: <c>few-step</c> for any prior, <c>paper</c> and the published settings by name.</summary>
public sealed class Cm4irPresets : ISolverPresets
{
    private const string Script = "CM4IR, evaluate_CM4IR.sh";

    /// <summary>One line of the published script; deltas are optional there.</summary>
    private sealed record Published(
        string Data,
        string Task,
        double Sigma,
        int StartIndex,
        double Gamma,
        double Zeta,
        double[]? Deltas = null,
        DeltaInjection Injection = DeltaInjection.Time
    )
    {
        public string Name => string.Create(CultureInfo.InvariantCulture, $"{Data}-{Task}-{Sigma}");

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
            "Tuned for denoisers, diffusion priors and consistency models of small noise at 4 to 16 evaluations; the published "
                + "settings for the published consistency models.",
            null,
            FewStep
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

    // Tuned with a small diffusion prior on photographs at noise 0.01 to 0.05 (see tests/Benchmarks, verb "presets"). Noise levels on
    // [-1,1].
    private static Cm4irSolver FewStep(PresetRequest request)
    {
        bool consistency = request.Prior.Kind == PriorKind.Consistency;
        if (consistency && DataOf(request.Prior) is not null)
            return Choose(request).Solver(request);
        int steps = request.MaxEvaluations ?? 8;
        double noise = 2 * Math.Max(request.Sigma, 0.005);
        Cm4irSolver solver = new()
        {
            Steps = steps,
            Start = Cm4irStart.Guess,
            Ladder = Cm4irLadder.Geometric,
            Guidance = Cm4irGuidance.Proximal,
            Eta = 0,
            Turns = request.Prior.AnyOrientation,
        };
        // Filling in starts near the truth, and measured pixels are left to the last step, which removes their noise the more of them there
        // are.
        if (request.MeasuresPixels)
            return solver with
            {
                SigmaStart = request.Measured < 1 ? Math.Max(0.1, noise) : noise,
                SigmaEnd = (0.25 + 0.75 * request.Measured) * noise,
                Lambda = 0.05,
            };
        // A consistency model ends in a picture and not in a mean, so that it may start from more noise and end with more.
        double start =
            !consistency ? 0.3
            : request.Traits.Downsample > 1 ? 0.6
            : 0.35;
        double many = Math.Max(1, steps / 8.0),
            end = (consistency ? 1.5 : 1.2) * noise / Math.Pow(many, 0.75),
            lambda = (consistency ? 0.5 : 0.4) / Math.Sqrt(steps);
        if (steps == 1)
            return solver with { SigmaStart = 2 * end, SigmaEnd = end, Lambda = lambda };
        double first = Math.Max(start * Math.Min(1, steps / 4.0) * Math.Pow(many, 0.4), 1.5 * end),
            stride = Math.Pow(first / end, 1.0 / (steps - 1));
        // Where a kernel is faint a data step leaves noise, the more the smaller lambda is. The next level has to cover it. (Factor and
        // root are fitted.)
        return solver with
        {
            SigmaStart = first,
            SigmaEnd = end,
            Lambda = Math.Max(lambda, 0.16 * Math.Pow(request.Traits.Faintness ?? 0, 0.25) * stride * stride),
        };
    }

    /// <summary>Which of the published models a prior is.</summary>
    private static string? DataOf(PriorInfo prior) =>
        Table.Select(line => line.Data).Distinct().FirstOrDefault(name => prior.Name.Contains(name, StringComparison.OrdinalIgnoreCase));

    private static string About(Published line) =>
        string.Create(CultureInfo.InvariantCulture, $"published: {line.Task} at noise {line.Sigma} ({line.Data})");

    private static Published Choose(PresetRequest request)
    {
        OperatorTraits traits = request.Traits;
        string data = DataOf(request.Prior) ?? (request.Prior.Classes is null ? "bedroom" : "imagenet64");
        string task =
            traits.Mask ? "inpaint"
            : traits.Downsample > 1 ? "sr"
            : traits.Blur ? "deblur"
            : "sr";
        Published[] lines = [.. Table.Where(line => line.Task.StartsWith(task, StringComparison.Ordinal))];
        if (lines.Any(line => line.Data == data))
            lines = [.. lines.Where(line => line.Data == data)];
        return lines.MinBy(line => Math.Abs(line.Sigma - request.Sigma))!;
    }
}
