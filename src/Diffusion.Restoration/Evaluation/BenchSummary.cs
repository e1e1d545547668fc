namespace Diffusion.Evaluation;

/// <summary>A table of a benchmark: one degradation, its methods, means over pictures.</summary>
/// <param name="Size">The size of the pictures.</param>
/// <param name="Operator">The operator's spec.</param>
/// <param name="Noise">Standard deviation of the noise on [0,1].</param>
/// <param name="Border">Pixels that metrics left out on each side.</param>
/// <param name="Margin">Pixels on each side that were measured but not restored.</param>
/// <param name="Pictures">How many pictures were measured.</param>
/// <param name="Reference">The baseline that methods are compared with; null without baselines.</param>
/// <param name="Lines">The methods.</param>
public sealed record BenchGroup(
    string Size,
    string Operator,
    double Noise,
    int Border,
    int Margin,
    int Pictures,
    string? Reference,
    IReadOnlyList<BenchLine> Lines
)
{
    /// <summary>Operator, noise and size in words.</summary>
    public string Title =>
        string.Create(
            System.Globalization.CultureInfo.InvariantCulture,
            $"{Operator}, noise {Noise:0.####}{(Size == "native" ? "" : ", " + Size)}"
                + $"{(Border == 0 ? "" : $", border {Border} left out")}{(Margin == 0 ? "" : $", margin {Margin}")}"
        );

    /// <summary>Whether a cell is of this degradation.</summary>
    internal bool Contains(BenchCell cell) =>
        (cell.Size, cell.Operator, cell.Noise, cell.Border, cell.Margin) == (Size, Operator, Noise, Border, Margin);
}

/// <summary>A method of a benchmark on one degradation: means over pictures and seeds.</summary>
public sealed record BenchLine
{
    /// <summary>Who made the restorations.</summary>
    public required BenchRole Role { get; init; }

    /// <summary>Solver or baseline, with preset and changed settings.</summary>
    public required string Method { get; init; }

    /// <summary>Solver or baseline alone.</summary>
    public required string Name { get; init; }

    /// <summary>The prior; empty for baselines.</summary>
    public required string Prior { get; init; }

    /// <summary>Most evaluations that were allowed; null: the preset's number.</summary>
    public required int? Steps { get; init; }

    /// <summary>Pictures with a row.</summary>
    public required int Pictures { get; init; }

    /// <summary>Mean PSNR in dB.</summary>
    public required double Psnr { get; init; }

    /// <summary>Mean SSIM; null where no picture was large enough.</summary>
    public double? Ssim { get; init; }

    /// <summary>Mean NIQE; null where no picture was large enough.</summary>
    public double? Niqe { get; init; }

    /// <summary>Mean GMSD.</summary>
    public double Gmsd { get; init; }

    /// <summary>Mean energy of the fine detail divided by the original's.</summary>
    public double? HighBand { get; init; }

    /// <summary>Mean LPIPS; null where it was not measured.</summary>
    public double? Lpips { get; init; }

    /// <summary>Mean number of network evaluations.</summary>
    public double Evaluations { get; init; }

    /// <summary>Mean over pictures of the median time.</summary>
    public double Seconds { get; init; }

    /// <summary>Largest peak memory.</summary>
    public double PeakMegabytes { get; init; }

    /// <summary>
    /// Mean of the PSNR's difference to the reference baseline on the same measurement; null for the reference, and without one.
    /// </summary>
    public double? Gain { get; init; }

    /// <summary>Its standard deviation over pictures; null for fewer than two.</summary>
    public double? GainDeviation { get; init; }

    /// <summary>Pictures that came out better than by the reference.</summary>
    public int Improved { get; init; }

    /// <summary>Standard deviation over seeds of the mean PSNR; null for one seed.</summary>
    public double? SeedDeviation { get; init; }
}

/// <summary>Brings the rows of a benchmark to means over pictures.</summary>
public static class BenchSummary
{
    /// <summary>One group per size, operator and noise level, in the order of the rows.</summary>
    public static IReadOnlyList<BenchGroup> Of(IEnumerable<BenchRow> rows) =>
        [
            .. rows.GroupBy(row => (row.Cell.Size, row.Cell.Operator, row.Cell.Noise, row.Cell.Border, row.Cell.Margin))
                .Select(group =>
                {
                    Dictionary<(string, ulong), double> reference = group
                        .Where(row => row.Role == BenchRole.Reference)
                        .ToDictionary(row => (row.Cell.Picture, row.Cell.Seed), row => row.Metrics.Psnr);
                    BenchLine[] lines =
                    [
                        .. group
                            .GroupBy(row => row.Cell with { Picture = "", PictureSha = "", Seed = 0 })
                            .Select(method => Line([.. method], reference))
                            .OrderBy(line => line.Role == BenchRole.Solver),
                    ];
                    return new BenchGroup(
                        group.Key.Size,
                        group.Key.Operator,
                        group.Key.Noise,
                        group.Key.Border,
                        group.Key.Margin,
                        group.Select(row => row.Cell.Picture).Distinct().Count(),
                        lines.FirstOrDefault(line => line.Role == BenchRole.Reference)?.Method,
                        lines
                    );
                }),
        ];

    private static BenchLine Line(IReadOnlyList<BenchRow> rows, Dictionary<(string Picture, ulong Seed), double> reference)
    {
        BenchCell cell = rows[0].Cell;
        bool compared = rows[0].Role != BenchRole.Reference;
        // Several seeds of a picture count as one picture.
        double[] gains =
        [
            .. rows.Where(row => compared && reference.ContainsKey((row.Cell.Picture, row.Cell.Seed)))
                .GroupBy(row => row.Cell.Picture)
                .Select(picture => picture.Average(row => row.Metrics.Psnr - reference[(row.Cell.Picture, row.Cell.Seed)])),
        ];
        double[] seeds = [.. rows.GroupBy(row => row.Cell.Seed).Select(seed => seed.Average(row => row.Metrics.Psnr))];
        string details = string.Join("; ", new[] { cell.Preset, cell.Set }.Where(text => text.Length > 0));
        return new BenchLine
        {
            Role = rows[0].Role,
            Method = details.Length == 0 ? cell.Method : $"{cell.Method} ({details})",
            Name = cell.Method,
            Prior = cell.Prior,
            Steps = cell.Steps,
            Pictures = rows.Select(row => row.Cell.Picture).Distinct().Count(),
            Psnr = rows.Average(row => row.Metrics.Psnr),
            Ssim = rows.Average(row => row.Metrics.Ssim),
            Niqe = rows.Average(row => row.Metrics.Niqe),
            Gmsd = rows.Average(row => row.Metrics.Gmsd),
            HighBand = rows.Average(row => row.HighBand),
            Lpips = rows.Average(row => row.Lpips),
            Evaluations = rows.Average(row => row.Evaluations),
            Seconds = rows.Average(row => row.Seconds),
            PeakMegabytes = rows.Max(row => row.PeakMegabytes),
            Gain = gains.Length == 0 ? null : gains.Average(),
            GainDeviation = Deviation(gains),
            Improved = gains.Count(gain => gain > 0),
            SeedDeviation = Deviation(seeds),
        };
    }

    private static double? Deviation(IReadOnlyCollection<double> values)
    {
        if (values.Count < 2)
            return null;
        double mean = values.Average();
        return Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1));
    }
}
