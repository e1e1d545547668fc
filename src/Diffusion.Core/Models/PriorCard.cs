using System.Text.Json;
using System.Text.Json.Nodes;
using Diffusion.Checkpoints;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Sampling;

namespace Diffusion.Models;

/// <summary>
/// What a prior's <c>card.json</c> says that is needed to run it: architecture, prediction, schedule, noise range, measured errors.
/// </summary>
/// <remarks>
/// Keys: <c>name</c>, <c>kind</c> and <c>config</c> (the network), <c>prediction</c> (see <see cref="Predictions.Name"/>), <c>schedule</c>
/// (see <see cref="ScheduleCard"/>), and, where known, <c>scalings</c> (<c>sigma_data</c>, <c>sigma_min</c>), <c>noise_range</c> [min,
/// max], <c>rmse</c> [[sigma, rmse], ...] (or <c>validation.rows</c>), <c>trained_sizes</c>, <c>tiles_beyond</c>, <c>receptive_field</c>,
/// <c>any_orientation</c>; <c>file</c> and <c>sha256</c> name the weight file that it belongs to. Other keys are for people.
/// </remarks>
public sealed record PriorCard
{
    /// <summary>Short name.</summary>
    public required string Name { get; init; }

    /// <summary>The card's file; null where there is none and the network was recognised.</summary>
    public string? Path { get; init; }

    /// <summary>The network.</summary>
    public required Architecture Architecture { get; init; }

    /// <summary>What the network predicts; null: what its family does.</summary>
    public Prediction? Prediction { get; init; }

    /// <summary>The schedule of a network of a variance-preserving process.</summary>
    public NoiseSchedule Schedule { get; init; } = NoiseSchedule.Linear();

    /// <summary>The scalings of an EDM or consistency network; null: the published ones.</summary>
    public KarrasScalings? Scalings { get; init; }

    /// <summary>Noise levels on [-1,1] that it was trained for; null: all that the schedule or the published models have.</summary>
    public (double Min, double Max)? NoiseRange { get; init; }

    /// <summary>SHA-256 of the weight file that it belongs to, in lower-case hexadecimal; null: it does not say.</summary>
    public string? Sha256 { get; init; }

    /// <summary>Root mean squared error of one evaluation by noise level, both on [-1,1].</summary>
    public IReadOnlyList<(double Sigma, double Rmse)>? RmseTable { get; init; }

    /// <summary>Sides of the training pictures.</summary>
    public IReadOnlyList<int> TrainedSizes { get; init; } = [];

    /// <summary>Side beyond which pictures should be cut into tiles.</summary>
    public int? TilesBeyond { get; init; }

    /// <summary>Side of the window that an output pixel depends on.</summary>
    public int? ReceptiveField { get; init; }

    /// <summary>Whether it was trained on pictures in all eight turns and flips.</summary>
    public bool AnyOrientation { get; init; }

    /// <summary>Sentences for the user: how it was recognised, what was assumed.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Reads a card.</summary>
    /// <exception cref="CheckpointException">It is no JSON object or lacks what is needed.</exception>
    public static PriorCard Read(string path) =>
        Guarded(path, () =>
            Parse(JsonNode.Parse(File.ReadAllText(path)) as JsonObject ?? throw new FormatException("it is no JSON object"))
        ) with
        {
            Path = path,
        };

    /// <summary>The card of a weight file that has none beside it, from what its names and shapes and the catalogue tell.</summary>
    /// <param name="weights">The file; borrowed.</param>
    /// <param name="families">The networks that are known; null: those that ship.</param>
    /// <exception cref="CheckpointException">The weights are of no known family, or cannot be run without a choice.</exception>
    public static PriorCard Recognize(ICheckpoint weights, NetworkCatalog? families = null)
    {
        families ??= NetworkCatalog.BuiltIn;
        CheckpointIdentity identity = CheckpointCatalog.Default.Identify(weights, families)
            ?? throw new CheckpointException(
                "The weights are of no network that is known here",
                weights.Path,
                $"Give the weights of {families.Priors}"
            );
        JsonObject card = identity.RequireCard(families);
        return Guarded(weights.Path, () => Parse(card), CheckpointIdentity.Wanted) with { Notes = [identity.Note] };
    }

    /// <summary>The name of the weight file that a card says it belongs to; null when it says none or cannot be read.</summary>
    internal static string? FileOf(string card)
    {
        try
        {
            return (JsonNode.Parse(File.ReadAllText(card)) as JsonObject)?["file"] is JsonValue name && name.TryGetValue(out string? file)
                ? System.IO.Path.GetFileName(file)
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The advice where a card cannot be used.</summary>
    internal const string Remedy = "Correct it, or move it away to have the architecture recognised from the weights";

    private static PriorCard Guarded(string path, Func<PriorCard> read, string remedy = Remedy)
    {
        try
        {
            return read();
        }
        catch (Exception error)
            when (error is JsonException or FormatException or InvalidOperationException or ArgumentException or OverflowException)
        {
            throw new CheckpointException($"The card cannot be used: {error.Message.TrimEnd('.')}", path, remedy, error);
        }
    }

    private static PriorCard Parse(JsonObject card) =>
        new()
        {
            Name = Text(card, "name"),
            Architecture = new Architecture(
                Text(card, "kind"),
                card["config"] as JsonObject ?? throw new FormatException("\"config\" is missing")
            ),
            Prediction = (string?)card["prediction"] is { } prediction ? Predictions.Parse(prediction) : null,
            Schedule = card["schedule"] is JsonObject schedule ? ScheduleCard.Read(schedule) : NoiseSchedule.Linear(),
            Scalings = card["scalings"] is JsonObject scalings
                ? new KarrasScalings((double?)scalings["sigma_data"] ?? 0.5, (double?)scalings["sigma_min"] ?? 0)
                : null,
            NoiseRange = card["noise_range"] is JsonArray { Count: 2 } range ? ((double)range[0]!, (double)range[1]!) : null,
            Sha256 = (string?)card["sha256"],
            RmseTable = Rmse(card),
            TrainedSizes = card["trained_sizes"] is JsonArray sizes ? [.. sizes.Select(size => (int)size!)] : [],
            TilesBeyond = (int?)card["tiles_beyond"],
            ReceptiveField = (int?)card["receptive_field"],
            AnyOrientation = (bool?)card["any_orientation"] ?? false,
        };

    /// <summary>From <c>rmse</c>, else from the rows of the trainer's validation.</summary>
    private static IReadOnlyList<(double Sigma, double Rmse)>? Rmse(JsonObject card)
    {
        IEnumerable<(double Sigma, double Rmse)>? rows =
            card["rmse"] is JsonArray table ? table.Select(row => ((double)row![0]!, (double)row[1]!))
            : card["validation"] is JsonObject validation && validation["rows"] is JsonArray measured
                ? measured.Select(row => ((double)row!["sigma"]!, (double)row["rmse"]!))
            : null;
        return rows is null ? null : [.. rows.OrderBy(row => row.Sigma)];
    }

    private static string Text(JsonObject json, string key) => (string?)json[key] ?? throw new FormatException($"\"{key}\" is missing");
}
