using System.Text.Json.Nodes;
using Diffusion.Synthesis;

namespace Diffusion.Training;

/// <summary>Writes what was trained on pairs as a folder that loads: weights in bfloat16, and a card.</summary>
internal static class PairExport
{
    /// <summary>Writes it.</summary>
    /// <param name="folder">Made when missing.</param>
    /// <param name="plan">How it was trained.</param>
    /// <param name="state">The run.</param>
    /// <param name="validation">What was measured.</param>
    public static void Write(
        string folder,
        PairTrainingPlan plan,
        TrainingState state,
        IReadOnlyList<(string Name, double Value)> validation
    ) => TrainedFiles.Write(folder, plan.Name, state, Photographs(plan), () => Card(plan, state, validation));

    private static IEnumerable<(string Name, string Sha256)> Photographs(PairTrainingPlan plan) =>
        plan
            .Pairs.Select(pair => pair.Source ?? (Path.GetFileName(pair.Clean), TrainedFiles.Hash(pair.Clean)))
            .Distinct()
            .OrderBy(photo => photo.Name, StringComparer.Ordinal);

    private static JsonObject Card(PairTrainingPlan plan, TrainingState state, IReadOnlyList<(string Name, double Value)> validation)
    {
        JsonObject card = plan.Task.Card();
        card["parameters"] = state.Layout.Length;
        card["training"] = new JsonObject
        {
            ["command"] = plan.Command,
            ["pairs"] = plan.Pairs.Count,
            ["pairs_of"] = new JsonObject(
                plan.Pairs.GroupBy(pair => pair.Kind)
                    .OrderBy(kind => kind.Key)
                    .Select(kind => KeyValuePair.Create(DegradationKinds.NameOf(kind.Key), (JsonNode?)kind.Count()))
            ),
            ["steps"] = state.Step,
            ["crops"] = state.Crops,
            ["megapixels"] = Math.Round(state.Pixels / 1e6, 1),
            ["hours"] = Math.Round(state.Seconds / 3600, 3),
            ["peak_rate"] = state.Rate.Peak,
            ["crops_a_step"] = string.Join(", ", plan.Settings.Batches.Select(b => $"{b.Count} of {b.Size}x{b.Size} ({b.Share:0.##})")),
        };
        card["validation"] = new JsonObject
        {
            ["what"] = "pairs of held-out scenes",
            ["pairs"] = plan.Validation.Count,
            ["numbers"] = new JsonObject(
                validation.Where(n => double.IsFinite(n.Value)).Select(n => KeyValuePair.Create(n.Name, (JsonNode?)Math.Round(n.Value, 4)))
            ),
        };
        return card;
    }
}
