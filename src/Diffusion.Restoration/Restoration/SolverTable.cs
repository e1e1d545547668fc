using System.Globalization;
using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Operators;
using Diffusion.Solvers;

namespace Diffusion.Restoration;

/// <summary>One measured line: how well a solver did on a degradation.</summary>
/// <param name="Operator">The operator's spec.</param>
/// <param name="Noise">Standard deviation of the noise on [0,1].</param>
/// <param name="Evaluations">Network evaluations that were allowed.</param>
/// <param name="Solver">The solver, with its default preset.</param>
/// <param name="Psnr">Mean PSNR in dB.</param>
public sealed record SolverTableRow(string Operator, double Noise, int Evaluations, string Solver, double Psnr);

/// <summary>What <c>auto</c> chose, and why.</summary>
/// <param name="Solver">The solver's name.</param>
/// <param name="Reason">A sentence.</param>
public sealed record SolverAdvice(string Solver, string Reason);

/// <summary>
/// The measurements that <c>--solver auto</c> chooses from: the means of <c>diffusion bench auto</c> on three pictures of Set14 and three
/// held-out training photographs.
/// </summary>
public sealed class SolverTable
{
    /// <summary>The name that means "choose for me".</summary>
    public const string Auto = "auto";

    // Up to here the table was measured.
    private const int MeasuredSteps = 16;

    private readonly Lazy<IReadOnlyList<(SolverTableRow Row, PresetRequest Problem)>> _measured;

    private SolverTable(string csv)
    {
        string[] lines = [.. csv.Split('\n').Where(line => line.Length > 0)];
        string[] header = [.. Csv.Fields(lines[0])];
        int At(string name) => Array.IndexOf(header, name);
        double Number(IReadOnlyList<string> fields, string name) => double.Parse(fields[At(name)], CultureInfo.InvariantCulture);
        Rows =
        [
            .. lines
                .Skip(1)
                .Select(Csv.Fields)
                .Where(fields => fields[At("steps")].Length > 0)
                .Select(fields => new SolverTableRow(
                    fields[At("operator")],
                    Number(fields, "noise"),
                    (int)Number(fields, "steps"),
                    fields[At("method")],
                    Number(fields, "psnr")
                )),
        ];
        _measured = new(Bind);
    }

    /// <summary>The table that ships.</summary>
    public static SolverTable Shipped { get; } = new(Resource());

    /// <summary>Its lines.</summary>
    public IReadOnlyList<SolverTableRow> Rows { get; }

    /// <summary>
    /// The solver for a problem: the best one on the nearest degradation that was measured. Consistency models get mirror, which has a fit
    /// for them, those of CM4IR's paper get CM4IR, which was made for them. The table knows equal noise only: of pixels that are unequally
    /// noisy mirror makes 3 dB more.
    /// </summary>
    public SolverAdvice Advise(PresetRequest request)
    {
        if (request.Prior.Kind == PriorKind.Consistency)
            return Cm4irPresets.IsPublished(request.Prior)
                ? new("cm4ir", "the prior is a consistency model that CM4IR was made for")
                : new("mirror", "the prior is a consistency model, for which mirror has a fit of its own");
        if (request is { Traits.CoarseMissing: true, Evaluations: > MeasuredSteps })
            return new("mirror", "its ladder begins where the coarse structure, which is mostly missing, may still change");
        if (request is { Uneven: true, MeasuresPixels: true })
            return new("mirror", "its last data steps leave to each pixel's noise what dpir smooths alike");
        var nearest = _measured
            .Value.GroupBy(line => (line.Row.Operator, line.Row.Noise, line.Row.Evaluations))
            .MinBy(group => Distance(request, group.First()))!;
        SolverTableRow[] ranking = [.. nearest.Select(line => line.Row).OrderByDescending(row => row.Psnr)];
        string scores = string.Join(
            ", ",
            ranking.Select(row => string.Create(CultureInfo.InvariantCulture, $"{row.Solver} {row.Psnr:0.00}"))
        );
        return new(
            ranking[0].Solver,
            string.Create(
                CultureInfo.InvariantCulture,
                $"nearest measured: {nearest.Key.Operator}, noise {nearest.Key.Noise}, {nearest.Key.Evaluations} evaluations, PSNR "
                    + $"of {scores} dB"
            )
        );
    }

    private static double Distance(PresetRequest request, (SolverTableRow Row, PresetRequest Problem) line) =>
        (Kind(request) == Kind(line.Problem) ? 0 : 100)
        + 3 * Math.Abs(request.MeasuredShare - line.Problem.MeasuredShare)
        + Math.Abs(Math.Log(Math.Max(request.Noise, 0.002) / line.Row.Noise))
        + 0.7 * Math.Abs(Math.Log((double)request.Evaluations / line.Row.Evaluations));

    private static string Kind(PresetRequest request) =>
        request.Traits.Mask ? "mask"
        : request.MeasuresPixels ? "pixels"
        : request.Traits.Reduction > 1 ? "reduction"
        : request.Traits.Blur ? "blur"
        : "other";

    private List<(SolverTableRow, PresetRequest)> Bind()
    {
        Dictionary<string, PresetRequest> problems = [];
        foreach (string spec in Rows.Select(row => row.Operator).Distinct())
        {
            using LinearOperator a = ShippedOperators.Catalog.Parse(spec).Bind(new ImageShape(3, 64, 64));
            problems[spec] = PresetRequest.For(a, 0, new PriorInfo { Name = "", Kind = PriorKind.PosteriorMean });
        }
        return [.. Rows.Select(row => (row, problems[row.Operator]))];
    }

    private static string Resource()
    {
        using StreamReader reader = new(typeof(SolverTable).Assembly.GetManifestResourceStream("Diffusion.Restoration.auto.csv")!);
        return reader.ReadToEnd();
    }
}
