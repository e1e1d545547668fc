using System.Globalization;
using System.Text.Json.Nodes;

namespace Diffusion.Sampling;

/// <summary>What a <c>scheduler_config.json</c> of diffusers says of a network's training.</summary>
/// <remarks>Keys of DDPMScheduler, which those of other variance-preserving processes (DDIM, PNDM, ...) share, with its defaults.</remarks>
public static class DiffusersSchedule
{
    /// <summary>Reads schedule and prediction.</summary>
    /// <param name="json">The file's content.</param>
    /// <exception cref="FormatException">It is of another process, or holds a value that is not known.</exception>
    /// <exception cref="ArgumentException">A beta is outside [0,1].</exception>
    public static (NoiseSchedule Schedule, Prediction Prediction) Read(JsonObject json)
    {
        Prediction prediction = Text(json, "prediction_type") switch
        {
            null or "epsilon" => Prediction.Epsilon,
            "sample" => Prediction.X0,
            "v_prediction" => Prediction.V,
            string other => throw new FormatException(
                $"prediction_type is {other}, but only epsilon, sample and v_prediction are supported"
            ),
        };
        if (json["trained_betas"] is null && Text(json, "beta_schedule") is null)
            throw new FormatException(
                $"{Text(json, "_class_name") ?? "the scheduler"} has no beta_schedule, as variance-preserving processes have"
            );
        IReadOnlyList<double> betas = Betas(json);
        if (json["rescale_betas_zero_snr"] is JsonValue rescale && rescale.TryGetValue(out bool zero) && zero)
            betas = WithoutSignalAtTheEnd(betas);
        return (new NoiseSchedule(betas), prediction);
    }

    private static IReadOnlyList<double> Betas(JsonObject json)
    {
        if (json["trained_betas"] is JsonArray trained)
            return [.. trained.Select(beta => Number("trained_betas", beta))];
        int steps = (int)Number("num_train_timesteps", json["num_train_timesteps"] ?? 1000);
        if (steps is < 1 or > 100_000)
            throw new FormatException($"num_train_timesteps is {steps}, not 1 to 100000");
        double start = Number("beta_start", json["beta_start"] ?? 1e-4),
            end = Number("beta_end", json["beta_end"] ?? 0.02);
        return Text(json, "beta_schedule") switch
        {
            "linear" => NoiseSchedule.Linear(start, end, steps).Betas,
            "scaled_linear" => NoiseSchedule.ScaledLinear(start, end, steps).Betas,
            "squaredcos_cap_v2" => NoiseSchedule.Cosine(steps).Betas,
            "sigmoid" => [.. Spacing.Linear(-6, 6, steps).Select(x => (end - start) / (1 + Math.Exp(-x)) + start)],
            string other => throw new FormatException(
                $"beta_schedule is {other}, but only linear, scaled_linear, squaredcos_cap_v2 and sigmoid are supported"
            ),
            null => throw new FormatException("beta_schedule is missing"),
        };
    }

    /// <summary>The roots of alphaBar shifted and stretched so that the last is 0 and the first stays (Lin et al. 2023).</summary>
    private static IReadOnlyList<double> WithoutSignalAtTheEnd(IReadOnlyList<double> betas)
    {
        double[] roots = [.. new NoiseSchedule(betas).AlphaBar.Select(Math.Sqrt)];
        (double first, double last) = (roots[0], roots[^1]);
        double[] alphaBar = [.. roots.Select(root => Math.Pow((root - last) * first / (first - last), 2))];
        return [.. alphaBar.Select((a, t) => 1 - (t == 0 ? a : a / alphaBar[t - 1]))];
    }

    private static string? Text(JsonObject json, string key) =>
        json[key] is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    private static double Number(string key, JsonNode? node) =>
        node is JsonValue value && double.TryParse(value.ToJsonString(), CultureInfo.InvariantCulture, out double number)
            ? number
            : throw new FormatException($"{key} is {node?.ToJsonString() ?? "null"}, not a number");
}
