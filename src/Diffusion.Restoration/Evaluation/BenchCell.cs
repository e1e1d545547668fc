using System.Security.Cryptography;
using System.Text;
using Diffusion.Metrics;

namespace Diffusion.Evaluation;

/// <summary>What a row of a benchmark measures. Two equal cells would measure the same: a benchmark that goes on skips them.</summary>
public sealed record BenchCell
{
    /// <summary>The picture's file name.</summary>
    public required string Picture { get; init; }

    /// <summary>The beginning of its SHA-256.</summary>
    public required string PictureSha { get; init; }

    /// <summary>The size that it was brought to.</summary>
    public required string Size { get; init; }

    /// <summary>The operator's spec as the plan writes it.</summary>
    public required string Operator { get; init; }

    /// <summary>Standard deviation of the noise on [0,1].</summary>
    public required double Noise { get; init; }

    /// <summary>Seed of measurement and solver.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Pixels that metrics left out on each side.</summary>
    public required int Border { get; init; }

    /// <summary>Pixels on each side that were measured but not restored.</summary>
    public int Margin { get; init; }

    /// <summary>The solver, or the baseline.</summary>
    public string Method { get; init; } = "";

    /// <summary>The solver's preset; empty for its default.</summary>
    public string Preset { get; init; } = "";

    /// <summary>Settings that were changed: <c>key=value; key=value</c>.</summary>
    public string Set { get; init; } = "";

    /// <summary>The prior's name; empty for baselines.</summary>
    public string Prior { get; init; } = "";

    /// <summary>The beginning of the SHA-256 of its weights.</summary>
    public string PriorSha { get; init; } = "";

    /// <summary>Most network evaluations; null: the preset's.</summary>
    public int? Steps { get; init; }

    /// <summary>Number format of the network.</summary>
    public string Dtype { get; init; } = "";

    /// <summary>What the plan calls the prior; no part of the identity.</summary>
    internal string PriorPath { get; init; } = "";

    /// <summary>The method with its preset, settings, prior and steps, for people.</summary>
    internal string Label =>
        string.Join(", ", new[] { Method, Preset, Set, Prior, Steps is { } steps ? $"{steps} steps" : "" }.Where(part => part.Length > 0));

    /// <summary>The measurement that it starts from: without method, prior and steps.</summary>
    internal BenchCell Measured => this with { Method = "", Preset = "", Set = "", Prior = "", PriorSha = "", Steps = null, Dtype = "" };

    /// <summary>12 digits that stand for the identity in file names.</summary>
    internal string Fingerprint => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Identity.ToString())))[..12];

    /// <inheritdoc/>
    public bool Equals(BenchCell? other) => other is not null && Identity == other.Identity;

    /// <inheritdoc/>
    public override int GetHashCode() => Identity.GetHashCode();

    private (string, string, string, string, double, ulong, (int, int), (string, string, string, string, string, int?, string)) Identity =>
        (Picture, PictureSha, Size, Operator, Noise, Seed, (Border, Margin), (Method, Preset, Set, Prior, PriorSha, Steps, Dtype));
}

/// <summary>Who made a restoration.</summary>
public enum BenchRole
{
    /// <summary>A solver with a prior.</summary>
    Solver,

    /// <summary>A classical method.</summary>
    Baseline,

    /// <summary>The classical method that solvers are compared with.</summary>
    Reference,
}

/// <summary>One measured restoration.</summary>
/// <param name="Cell">What was measured.</param>
/// <param name="Role">Who made it.</param>
/// <param name="Metrics">On the values of 8-bit files.</param>
/// <param name="HighBand">Energy of the fine detail divided by the original's; null where the original has none.</param>
/// <param name="Evaluations">Network evaluations that were counted.</param>
/// <param name="Seconds">Median time of a restoration, measurement and metrics left out.</param>
/// <param name="PeakMegabytes">Most memory that the process held meanwhile.</param>
public sealed record BenchRow(
    BenchCell Cell,
    BenchRole Role,
    PictureMetrics Metrics,
    double? HighBand,
    int Evaluations,
    double Seconds,
    double PeakMegabytes
)
{
    /// <summary>LPIPS; null where no weights were given, and for pictures that are too small for its network.</summary>
    public double? Lpips { get; init; }

    /// <summary>Rows of the measured picture.</summary>
    public int Height { get; init; }

    /// <summary>Columns of the measured picture.</summary>
    public int Width { get; init; }

    /// <summary>Threads that it was computed with.</summary>
    public int Threads { get; init; }

    /// <summary>Version of this library.</summary>
    public string Version { get; init; } = "";
}
