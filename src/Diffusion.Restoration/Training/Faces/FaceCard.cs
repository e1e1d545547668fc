using System.Text.Json.Nodes;

namespace Diffusion.Training;

/// <summary>The card of a trained face restorer.</summary>
internal static class FaceCard
{
    /// <summary>Whether a parameter is the restorer's and not the critic's.</summary>
    public static bool Ships(string name) => !name.StartsWith(FaceCritic.Prefix, StringComparison.Ordinal);

    /// <summary>What it says beside name, file and hash.</summary>
    /// <param name="plan">How it was trained.</param>
    /// <param name="state">The run.</param>
    /// <param name="validation">What was measured.</param>
    /// <param name="kind">The network's family.</param>
    /// <param name="config">Its constructor arguments.</param>
    public static JsonObject Of(FaceTrainingPlan plan, TrainingState state, FaceValidation validation, string kind, JsonObject config) =>
        new()
        {
            ["kind"] = kind,
            ["config"] = config,
            ["parameters"] = state.Layout.Slots.Where(slot => Ships(slot.Name)).Sum(slot => slot.Length),
            ["training"] = new JsonObject
            {
                ["command"] = plan.Command,
                ["faces"] = plan.Faces.Count,
                ["steps"] = state.Step,
                ["faces_seen"] = state.Crops,
                ["hours"] = Math.Round(state.Seconds / 3600, 3),
                ["embedder_steps"] = plan.EmbedderSteps,
                ["start"] = plan.Start is { } start ? Path.GetFileName(start) : null,
                ["peak_rate"] = state.Rate.Peak,
                ["faces_a_step"] = plan.Settings.Batches[0].Count,
                ["loss"] = new JsonObject
                {
                    [plan.Loss.LogError ? "ln_mean_squared_error" : "mean_squared_error"] = plan.Loss.Error,
                    ["of_edge_maps_too"] = plan.Loss.EdgeMaps,
                    ["perceptual"] = plan.Loss.Perceptual,
                    ["edges"] = plan.Loss.Edges,
                    ["texture"] = plan.Loss.Texture,
                    [plan.Loss.LogIdentity ? "ln_squared_identity_distance" : "identity"] = plan.Loss.Identity,
                    ["adversary"] = plan.Loss.Adversary,
                    ["codes"] = plan.Loss.Codes,
                    ["token_dropout"] = plan.Loss.TokenDropout,
                },
                ["compute"] = plan.Settings.Policy.NetworkDtype.ToString().ToLowerInvariant(),
            },
            ["validation"] = new JsonObject
            {
                ["what"] = "held-out faces of the training folder, degraded with fixed seeds, means over faces",
                ["faces"] = plan.Validation.Count,
                ["psnr_degraded"] = Rounded(validation.Degraded),
                ["psnr"] = Rounded(validation.Restored),
                ["psnr_without_tokens"] = Rounded(validation.Tokenless),
                ["identity_distance_degraded"] = Rounded(validation.DegradedIdentity),
                ["identity_distance"] = Rounded(validation.RestoredIdentity),
                ["identity_nearer"] = Rounded(validation.Nearer),
                ["gmsd"] = Rounded(validation.Gmsd),
                ["niqe"] = Rounded(validation.Niqe),
                ["high_band_energy"] = Rounded(validation.HighBand),
                ["codes_used"] = validation.Codes,
            },
        };

    private static double? Rounded(double value) => double.IsFinite(value) ? Math.Round(value, 4) : null;
}
