using System.Text.Json.Nodes;

namespace Diffusion.Sampling;

/// <summary>A noise schedule as a card says it.</summary>
/// <remarks>
/// <c>type</c> is <c>linear</c> or <c>scaled-linear</c> (with <c>beta_start</c>, <c>beta_end</c>, <c>steps</c>), <c>cosine</c> (with
/// <c>steps</c>), or <c>betas</c> (with the list itself).
/// </remarks>
public static class ScheduleCard
{
    private const int MaxSteps = 100_000;

    /// <summary>Reads a schedule.</summary>
    /// <exception cref="FormatException">Its type is not known, or it is too long.</exception>
    /// <exception cref="ArgumentException">A beta is outside [0,1].</exception>
    public static NoiseSchedule Read(JsonObject card)
    {
        int steps = card["betas"] is JsonArray list ? list.Count : (int?)card["steps"] ?? 1000;
        if (steps is < 1 or > MaxSteps)
            throw new FormatException($"the schedule has {steps} steps");
        return (string?)card["type"] switch
        {
            "linear" => NoiseSchedule.Linear((double?)card["beta_start"] ?? 1e-4, (double?)card["beta_end"] ?? 0.02, steps),
            "scaled-linear" => NoiseSchedule.ScaledLinear(
                (double?)card["beta_start"] ?? 0.00085,
                (double?)card["beta_end"] ?? 0.012,
                steps
            ),
            "cosine" => NoiseSchedule.Cosine(steps),
            "betas" when card["betas"] is JsonArray betas => new NoiseSchedule([.. betas.Select(beta => (double)beta!)]),
            null => throw new FormatException("the schedule's \"type\" is missing"),
            string other => throw new FormatException($"the schedule type \"{other}\" is none of linear, scaled-linear, cosine and betas"),
        };
    }

    /// <summary>Writes a schedule by its name where it is a named one, and by its betas where it is not.</summary>
    public static JsonObject Write(NoiseSchedule schedule)
    {
        (double start, double end, int steps) = (schedule.Betas[0], schedule.Betas[^1], schedule.Steps);
        if (Is(NoiseSchedule.Linear(start, end, steps)))
            return Named("linear");
        if (Is(NoiseSchedule.ScaledLinear(start, end, steps)))
            return Named("scaled-linear");
        if (Is(NoiseSchedule.Cosine(steps)))
            return new JsonObject { ["type"] = "cosine", ["steps"] = steps };
        return new JsonObject { ["type"] = "betas", ["betas"] = new JsonArray([.. schedule.Betas.Select(beta => (JsonNode)beta)]) };

        // Squares of roots come back to within their rounding.
        bool Is(NoiseSchedule other) => schedule.Betas.Zip(other.Betas, (a, b) => Math.Abs(a - b) <= 1e-14 * b).All(equal => equal);
        JsonObject Named(string type) =>
            new()
            {
                ["type"] = type,
                ["beta_start"] = start,
                ["beta_end"] = end,
                ["steps"] = steps,
            };
    }
}
