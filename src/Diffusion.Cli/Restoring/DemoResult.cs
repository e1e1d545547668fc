using System.Text.Json.Nodes;
using Diffusion.Metrics;

namespace Diffusion.Cli.Restoring;

/// <summary>One picture's scores.</summary>
/// <param name="What"><c>measurement</c>, <c>baseline</c> or <c>restored</c>.</param>
/// <param name="By">The method.</param>
/// <param name="Metrics">Against the clean photograph.</param>
/// <param name="Seconds">How long it took; null for the measurement.</param>
internal sealed record DemoScore(string What, string By, PictureMetrics Metrics, double? Seconds = null);

/// <summary>One finished task of the demo.</summary>
internal sealed record DemoResult(DemoTask Task, IReadOnlyList<DemoScore> Scores, int Evaluations)
{
    /// <summary>For <c>--json</c>: task, baseline, restored, seconds, evaluations.</summary>
    public JsonObject ToJson()
    {
        JsonObject json = new()
        {
            ["task"] = Task.Name,
            ["photo"] = Task.Photo,
            ["operator"] = Task.Operator,
            ["noise"] = DemoTask.Noise,
        };
        foreach (DemoScore score in Scores)
        {
            JsonObject scores = score.Metrics.ToJson();
            scores["by"] = score.By;
            json[score.What] = scores;
        }
        json["seconds"] = Math.Round(Scores[^1].Seconds ?? 0, 3);
        json["evaluations"] = Evaluations;
        return json;
    }
}
