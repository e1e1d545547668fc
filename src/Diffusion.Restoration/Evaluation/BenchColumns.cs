using System.Globalization;
using Diffusion.Metrics;

namespace Diffusion.Evaluation;

/// <summary>The columns of a benchmark's table, and how rows become text and back.</summary>
internal static class BenchColumns
{
    /// <summary>Their names and kinds, in order.</summary>
    public static IReadOnlyList<(string Name, Type Type)> All { get; } =
    [
        ("picture", typeof(string)),
        ("picture_sha", typeof(string)),
        ("size", typeof(string)),
        ("height", typeof(int)),
        ("width", typeof(int)),
        ("operator", typeof(string)),
        ("noise", typeof(double)),
        ("seed", typeof(ulong)),
        ("border", typeof(int)),
        ("margin", typeof(int)),
        ("role", typeof(string)),
        ("method", typeof(string)),
        ("preset", typeof(string)),
        ("set", typeof(string)),
        ("prior", typeof(string)),
        ("prior_sha", typeof(string)),
        ("steps", typeof(int)),
        ("dtype", typeof(string)),
        ("psnr", typeof(double)),
        ("ssim", typeof(double)),
        ("psnr_y", typeof(double)),
        ("niqe", typeof(double)),
        ("gmsd", typeof(double)),
        ("high_band", typeof(double)),
        ("lpips", typeof(double)),
        ("evaluations", typeof(int)),
        ("seconds", typeof(double)),
        ("peak_mb", typeof(double)),
        ("threads", typeof(int)),
        ("version", typeof(string)),
    ];

    /// <summary>Their names, in order.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(column => column.Name)];

    // Columns that were added later: tables without them are read, and brought up to date.
    private static readonly string[] Later = ["margin", "lpips"];

    /// <summary>Whether a table with these columns can be read.</summary>
    public static bool Fit(IReadOnlyList<string> header) => header.All(Names.Contains) && Names.Except(header).All(Later.Contains);

    /// <summary>The values of a row.</summary>
    public static IReadOnlyList<string> Write(BenchRow row)
    {
        BenchCell cell = row.Cell;
        return
        [
            cell.Picture,
            cell.PictureSha,
            cell.Size,
            Text(row.Height),
            Text(row.Width),
            cell.Operator,
            Text(cell.Noise),
            cell.Seed.ToString(CultureInfo.InvariantCulture),
            Text(cell.Border),
            Text(cell.Margin),
            row.Role.ToString().ToLowerInvariant(),
            cell.Method,
            cell.Preset,
            cell.Set,
            cell.Prior,
            cell.PriorSha,
            cell.Steps is { } steps ? Text(steps) : "",
            cell.Dtype,
            Text(row.Metrics.Psnr),
            Text(row.Metrics.Ssim),
            Text(row.Metrics.PsnrY),
            Text(row.Metrics.Niqe),
            Text(row.Metrics.Gmsd),
            Text(row.HighBand),
            Text(row.Lpips),
            Text(row.Evaluations),
            Text(Math.Round(row.Seconds, 6)),
            Text(Math.Round(row.PeakMegabytes, 1)),
            Text(row.Threads),
            row.Version,
        ];
    }

    /// <summary>The row of some values under a header that <see cref="Fit"/>s.</summary>
    /// <exception cref="FormatException">A value cannot be read.</exception>
    public static BenchRow Read(IReadOnlyList<string> header, IReadOnlyList<string> fields)
    {
        if (fields.Count != header.Count)
            throw new FormatException($"there are {fields.Count} values instead of {header.Count}");
        Dictionary<string, string> values = header.Zip(fields).ToDictionary(pair => pair.First, pair => pair.Second);
        string Of(string name) => values.GetValueOrDefault(name, "");
        double Number(string name) => double.Parse(Of(name), NumberStyles.Float, CultureInfo.InvariantCulture);
        double? Optional(string name) => Of(name).Length == 0 ? null : Number(name);
        int Whole(string name) => int.Parse(Of(name), CultureInfo.InvariantCulture);
        BenchCell cell = new()
        {
            Picture = Of("picture"),
            PictureSha = Of("picture_sha"),
            Size = Of("size"),
            Operator = Of("operator"),
            Noise = Number("noise"),
            Seed = ulong.Parse(Of("seed"), CultureInfo.InvariantCulture),
            Border = Whole("border"),
            Margin = Of("margin").Length == 0 ? 0 : Whole("margin"),
            Method = Of("method"),
            Preset = Of("preset"),
            Set = Of("set"),
            Prior = Of("prior"),
            PriorSha = Of("prior_sha"),
            Steps = Of("steps").Length == 0 ? null : Whole("steps"),
            Dtype = Of("dtype"),
        };
        PictureMetrics metrics = new()
        {
            Psnr = Number("psnr"),
            Ssim = Optional("ssim"),
            PsnrY = Number("psnr_y"),
            Niqe = Optional("niqe"),
            Gmsd = Number("gmsd"),
        };
        if (!Enum.TryParse(Of("role"), ignoreCase: true, out BenchRole role))
            throw new FormatException($"\"{Of("role")}\" is no role");
        return new BenchRow(cell, role, metrics, Optional("high_band"), Whole("evaluations"), Number("seconds"), Number("peak_mb"))
        {
            Lpips = Optional("lpips"),
            Height = Whole("height"),
            Width = Whole("width"),
            Threads = Whole("threads"),
            Version = Of("version"),
        };
    }

    private static string Text(double? value) => value?.ToString("R", CultureInfo.InvariantCulture) ?? "";

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
