using System.Globalization;
using Diffusion.Metrics;

namespace Diffusion.Evaluation;

/// <summary>The columns of a benchmark's table, and how rows become text and back.</summary>
internal static class BenchColumns
{
    /// <summary>Their names, in order.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        "picture", "picture_sha", "size", "height", "width", "operator", "noise", "seed", "border", "margin",
        "role", "method", "preset", "set", "prior", "prior_sha", "steps", "dtype",
        "psnr", "ssim", "psnr_y", "niqe", "gmsd", "high_band", "evaluations", "seconds", "peak_mb", "threads", "version",
    ];

    /// <summary>The values of a row.</summary>
    public static IReadOnlyList<string> Write(BenchRow row)
    {
        BenchCell cell = row.Cell;
        return
        [
            cell.Picture, cell.PictureSha, cell.Size, Text(row.Height), Text(row.Width), cell.Operator, Text(cell.Noise), cell.Seed.ToString(CultureInfo.InvariantCulture), Text(cell.Border), Text(cell.Margin),
            row.Role.ToString().ToLowerInvariant(), cell.Method, cell.Preset, cell.Set, cell.Prior, cell.PriorSha, cell.Steps is { } steps ? Text(steps) : "", cell.Dtype,
            Text(row.Metrics.Psnr), Text(row.Metrics.Ssim), Text(row.Metrics.PsnrY), Text(row.Metrics.Niqe), Text(row.Metrics.Gmsd), Text(row.HighBand),
            Text(row.Evaluations), Text(Math.Round(row.Seconds, 6)), Text(Math.Round(row.PeakMegabytes, 1)), Text(row.Threads), row.Version,
        ];
    }

    /// <summary>The row of some values.</summary>
    /// <exception cref="FormatException">A value cannot be read.</exception>
    public static BenchRow Read(IReadOnlyList<string> fields)
    {
        if (fields.Count != Names.Count) throw new FormatException($"there are {fields.Count} values instead of {Names.Count}");
        string Of(string name) => fields[Index(name)];
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
            Margin = Whole("margin"),
            Method = Of("method"),
            Preset = Of("preset"),
            Set = Of("set"),
            Prior = Of("prior"),
            PriorSha = Of("prior_sha"),
            Steps = Of("steps").Length == 0 ? null : Whole("steps"),
            Dtype = Of("dtype"),
        };
        PictureMetrics metrics = new() { Psnr = Number("psnr"), Ssim = Optional("ssim"), PsnrY = Number("psnr_y"), Niqe = Optional("niqe"), Gmsd = Number("gmsd") };
        if (!Enum.TryParse(Of("role"), ignoreCase: true, out BenchRole role)) throw new FormatException($"\"{Of("role")}\" is no role");
        return new BenchRow(cell, role, metrics, Optional("high_band"), Whole("evaluations"), Number("seconds"), Number("peak_mb"))
        {
            Height = Whole("height"),
            Width = Whole("width"),
            Threads = Whole("threads"),
            Version = Of("version"),
        };
    }

    private static int Index(string name)
    {
        for (int i = 0; i < Names.Count; i++)
            if (Names[i] == name) return i;
        throw new ArgumentException($"There is no column {name}.");
    }

    private static string Text(double? value) => value?.ToString("R", CultureInfo.InvariantCulture) ?? "";

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
