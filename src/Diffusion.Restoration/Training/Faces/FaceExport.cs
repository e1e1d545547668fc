using System.Text.Json.Nodes;
using Diffusion.Networks;

namespace Diffusion.Training;

/// <summary>Writes a trained face restorer as a folder that loads: weights in bfloat16, and a card.</summary>
internal static class FaceExport
{
    /// <summary>Writes it.</summary>
    /// <param name="folder">Made when missing.</param>
    /// <param name="plan">How it was trained.</param>
    /// <param name="state">The run.</param>
    /// <param name="validation">What was measured.</param>
    public static void Write(string folder, FaceTrainingPlan plan, TrainingState state, FaceValidation validation) =>
        TrainedFiles.Write(
            folder,
            plan.Name,
            state,
            plan.Faces,
            () =>
                new JsonObject
                {
                    ["kind"] = FaceUNetFamily.Name,
                    ["config"] = FaceUNetConfig.Keys.Write(plan.Architecture),
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
                },
            Ships
        );

    private static bool Ships(string name) => !name.StartsWith(FaceCritic.Prefix, StringComparison.Ordinal);

    private static double? Rounded(double value) => double.IsFinite(value) ? Math.Round(value, 4) : null;
}
