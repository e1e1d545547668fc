using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Diffusion.Cli.Files;
using Diffusion.Imaging;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Cli.Restoring;

/// <summary>
/// What lies beside a restored picture, <c>OUT.png.json</c>: how it was made. It is written last, so that a picture with its record is
/// complete.
/// </summary>
internal static class RestoreRecord
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The record of an output.</summary>
    public static string PathFor(string output) => output + ".json";

    /// <summary>
    /// Whether a file is what a restoration wrote: a picture with its record, or the samples, spread and sheet beside it.
    /// </summary>
    public static bool IsResult(string file)
    {
        if (File.Exists(PathFor(file)))
            return true;
        string stem = Path.ChangeExtension(file, null);
        return Companion.Match(stem) is { Success: true, Groups: var groups }
            && new[] { Path.GetExtension(file), ".png" }.Any(extension => File.Exists(PathFor(groups[1].Value + extension)));
    }

    private static readonly Regex Companion = new(
        @"^(.+)_(sheet|spread|sample\d+)$",
        RegexOptions.CultureInvariant | RegexOptions.Singleline
    );

    /// <summary>Everything that decides the result, as far as it is known before the restoration.</summary>
    public static JsonObject Settings(string input, RestoreOptions options, long? label) =>
        new()
        {
            ["input"] = Path.GetFileName(input),
            ["input_sha256"] = input == InputFiles.StandardInput ? null : FileHash.Sha256(input),
            ["side_sha256"] =
                input != InputFiles.StandardInput && File.Exists(SideFile.PathFor(input)) ? FileHash.Sha256(SideFile.PathFor(input)) : null,
            ["operator"] = options.Operator?.ToString(),
            ["noise"] = options.Noise is { } noise
                ? double.IsNaN(noise)
                    ? "auto"
                    : noise
                : null,
            ["solver"] = options.Solver,
            ["preset"] = options.Preset,
            ["set"] = options.Set is null
                ? null
                : new JsonObject(
                    options
                        .Set.OrderBy(pair => pair.Key, StringComparer.Ordinal)
                        .Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))
                ),
            ["steps"] = options.Steps,
            ["prior"] = options.Prior,
            ["class"] = label,
            ["seed"] = options.Seed,
            ["samples"] = options.Samples,
            ["tile"] = options.Tile,
            ["resize_mask"] = options.ResizeMask,
            ["crop_to_fit"] = options.CropToFit,
        };

    /// <summary>Whether <paramref name="output"/> is there, complete, and made with these settings.</summary>
    public static bool IsComplete(string output, JsonObject settings)
    {
        if (!File.Exists(output) || !File.Exists(PathFor(output)))
            return false;
        try
        {
            return JsonNode.Parse(File.ReadAllText(PathFor(output)))?["settings"] is { } stored
                && JsonNode.DeepEquals(stored, JsonNode.Parse(settings.ToJsonString()));
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Writes the record.</summary>
    public static void Write(string output, JsonObject settings, RestoredPicture restored, ComputePolicy policy)
    {
        JsonObject record = new()
        {
            ["schema"] = Shell.Terminal.Schema,
            ["settings"] = settings.DeepClone(),
            ["operator"] = restored.Operator,
            ["noise"] = restored.Noise,
            ["noise_estimated"] = restored.NoiseEstimated,
            ["solver"] = restored.Solver,
            ["evaluations"] = restored.Evaluations,
            ["whitened_residual"] = restored.WhitenedResidual,
            ["inner_iterations"] = restored.InnerIterations,
            ["inner_unconverged"] = restored.Solves.Unconverged,
            ["inner_residual"] = restored.Solves.Unconverged > 0 ? restored.Solves.WorstResidual : null,
            ["seconds"] = Math.Round(restored.Seconds, 3),
            ["device"] = policy.Device.ToString(),
            ["dtype"] = policy.NetworkDtype.ToString().ToLowerInvariant(),
            ["dtype_reason"] = policy.DtypeReason,
            ["threads"] = torch.get_num_threads(),
            ["versions"] = new JsonObject(Versions.Current.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))),
        };
        OutputFile.Write(PathFor(output), true, stream => stream.Write(Encoding.UTF8.GetBytes(record.ToJsonString(Indented) + "\n")));
    }
}
