using System.Text.Json.Nodes;
using Diffusion.Networks;
using Diffusion.Sampling;

namespace Diffusion.Training;

/// <summary>Writes a trained prior as a folder that loads by name: weights in bfloat16 under the published names, and a card.</summary>
public static class PriorExport
{
    /// <summary>
    /// Writes <c>NAME.safetensors</c>, <c>card.json</c>, and the names and hashes of all photographs that were trained on,
    /// <c>photographs.txt</c>.
    /// </summary>
    /// <param name="folder">Made when missing.</param>
    /// <param name="plan">How it was trained.</param>
    /// <param name="state">The run.</param>
    /// <param name="validation">What was measured.</param>
    public static void Write(string folder, TrainingPlan plan, TrainingState state, IReadOnlyList<ValidationRow> validation) =>
        TrainedFiles.Write(folder, plan.Name, state, plan.Photos, () => Card(plan, state, validation));

    private static JsonObject Card(TrainingPlan plan, TrainingState state, IReadOnlyList<ValidationRow> validation)
    {
        NoiseLevels levels = new(plan.Schedule, plan.Settings.Levels);
        return new JsonObject
        {
            ["kind"] = AdmUNetFamily.Name,
            ["prediction"] = Predictions.Name(plan.Settings.Objective.Prediction),
            ["config"] = AdmUNetConfig.Keys.Write(plan.Architecture),
            ["schedule"] = ScheduleCard.Write(plan.Schedule),
            ["noise_range"] = new JsonArray(levels.Trained.Min, levels.Trained.Max),
            ["trained_sizes"] = new JsonArray([.. plan.Settings.Batches.Select(b => (JsonNode)b.Size)]),
            ["any_orientation"] = !plan.Settings.Upright,
            ["parameters"] = state.Layout.Length,
            ["training"] = new JsonObject
            {
                ["command"] = plan.Command,
                ["start"] = plan.Start,
                ["objective"] = plan.Settings.Objective.Note,
                ["photographs"] = plan.Photos.Count,
                ["steps"] = state.Step,
                ["crops"] = state.Crops,
                ["megapixels"] = Math.Round(state.Pixels / 1e6, 1),
                ["hours"] = Math.Round(state.Seconds / 3600, 3),
                ["peak_rate"] = state.Rate.Peak,
                ["crops_a_step"] = string.Join(", ", plan.Settings.Batches.Select(b => $"{b.Count} of {b.Size}x{b.Size} ({b.Share:0.##})")),
                ["compute"] = plan.Settings.Policy.NetworkDtype.ToString().ToLowerInvariant(),
            },
            ["validation"] = new JsonObject
            {
                ["what"] =
                    "Gaussian denoising in one evaluation, clamped, PSNR over RGB, mean over the held-out photographs; sigma and "
                    + "rmse on [-1,1]",
                ["photographs"] = plan.Validation.Count,
                ["rows"] = new JsonArray([
                    .. validation.Select(r =>
                        (JsonNode)
                            new JsonObject
                            {
                                ["sigma"] = Math.Round(r.Sigma, 5),
                                ["psnr"] = Math.Round(r.Psnr, 3),
                                ["rmse"] = Math.Round(r.Rmse, 5),
                            }
                    ),
                ]),
            },
        };
    }
}
