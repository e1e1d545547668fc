using System.Globalization;
using System.Text.Json.Nodes;
using Diffusion.Metrics;
using Diffusion.Pipeline;
using Diffusion.Restoration;

namespace Diffusion.Cli.Restoring;

/// <summary>What is said about one restored file: a line, a JSON object, a before/after picture.</summary>
internal sealed class Report(string input, string output, RestoredPicture restored, Measurement measurement) : IDisposable
{
    private Measurement? _clean;
    private PictureMetrics? _scores;
    private SpreadReport? _spread;

    /// <summary>Measures against the clean picture.</summary>
    /// <param name="reference">Its file.</param>
    /// <param name="reading">How the measurement was read.</param>
    public void Compare(string reference, MeasurementOptions reading)
    {
        reading = reading with { Range = reading.Range ?? measurement.Range };
        bool paged = measurement.Page is not null && Measurement.PagesOf(reference, new() { Pages = PageSelection.All }).Count > 1;
        Measurement Clean(int index) =>
            ComparedPicture.ReadReference(reference, reading with { Page = paged ? measurement.Page + index : null });
        _clean = Clean(0);
        _scores = PictureScores.Of(restored.Picture.Pixels, _clean.Y, reference);
        if (restored.Pages.Count > 1)
            _scores = PictureScores.Mean([
                _scores,
                .. restored
                    .Pages.Skip(1)
                    .Select(
                        (page, i) =>
                        {
                            using Measurement clean = Clean(i + 1);
                            return PictureScores.Of(page.Pixels, clean.Y, reference);
                        }
                    ),
            ]);
        _spread = restored.Spread?.Against(_clean.Y);
    }

    /// <summary>For <c>--json</c>.</summary>
    public JsonObject ToJson()
    {
        JsonObject json = new()
        {
            ["input"] = input,
            ["output"] = output,
            ["operator"] = restored.Operator,
            ["noise"] = restored.Noise,
            ["noise_estimated"] = restored.NoiseEstimated,
            ["noise_model"] = restored.NoiseModel,
            ["solver"] = restored.Solver,
            ["evaluations"] = restored.Evaluations,
            ["seconds"] = Math.Round(restored.Seconds, 3),
            ["whitened_residual"] = restored.WhitenedResidual,
            ["inner_iterations"] = restored.InnerIterations,
            ["inner_unconverged"] = restored.Solves.Unconverged,
            ["inner_residual"] = restored.Solves.Unconverged > 0 ? restored.Solves.WorstResidual : null,
            ["hint"] = restored.Hint,
        };
        if (_scores is not null)
            json["metrics"] = _scores.ToJson();
        if (_spread is not null)
            json["spread"] = new JsonObject
            {
                ["samples"] = restored.Samples.Count,
                ["spread"] = Math.Round(_spread.Spread, 6),
                ["error"] = Math.Round(_spread.Error, 6),
                ["within_68"] = Math.Round(_spread.Within68, 4),
                ["within_95"] = Math.Round(_spread.Within95, 4),
            };
        return json;
    }

    /// <summary>One line for people.</summary>
    public string ToLine()
    {
        string level = FormattableString.Invariant($"{restored.Noise:0.####}");
        if (restored.NoiseModel is { } model)
            level = $"{model}, mean {level}";
        string noise =
            restored.NoiseEstimated ? $", noise estimated as {level}"
            : restored.NoiseModel is not null ? $", noise {level}"
            : "";
        string to = output == OutputPlan.StandardOutput ? "standard output" : output;
        string scores = _scores is null ? "" : ", " + _scores.ToLine();
        if (_spread is not null)
            scores += string.Create(
                System.Globalization.CultureInfo.InvariantCulture,
                $", spread {_spread.Spread:0.0000} against error {_spread.Error:0.0000}, {_spread.Within68:0 %} of the pixels "
                    + $"within the 68 % interval, {_spread.Within95:0 %} within 95 %"
            );
        return string.Create(CultureInfo.InvariantCulture, $"{input} -> {to}: {restored.Method}, {restored.Seconds:0.0} s{noise}{scores}");
    }

    /// <summary>Writes the before/after picture.</summary>
    public void WriteSheet(string path) => BeforeAfter.Write(path, measurement, restored, _clean, _scores);

    /// <inheritdoc/>
    public void Dispose() => _clean?.Dispose();
}
