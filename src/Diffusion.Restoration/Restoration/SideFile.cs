using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Runtime;

namespace Diffusion.Restoration;

/// <summary>What is known about a measurement: written beside it when a picture is degraded, read when it is restored.</summary>
public sealed record SideFile
{
    private static readonly JsonSerializerOptions Format = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip,
    };

    /// <summary>The version of this format.</summary>
    public const int CurrentVersion = 1;

    /// <summary>The version that the file was written in.</summary>
    public int Version { get; init; } = CurrentVersion;

    /// <summary>The operator's canonical spec.</summary>
    public required string Operator { get; init; }

    /// <summary>Standard deviation of the noise on [0,1].</summary>
    public required double Noise { get; init; }

    /// <summary>The noise where it grows with the signal: <c>poisson:gain=G,read=R</c>; <see cref="Noise"/> is its mean then.</summary>
    public string? Poisson { get; init; }

    /// <summary>
    /// Name of the file with the standard deviation of each value, in the same folder; <see cref="Noise"/> is their mean then.
    /// </summary>
    public string? NoiseMap { get; init; }

    /// <summary>The noise.</summary>
    [JsonIgnore]
    public NoiseModel NoiseModel => Poisson is null ? new(Noise) : NoiseModel.Parse(Poisson) ?? new(Noise);

    /// <summary>The same of one channel: null where the measurement has not the channels of the picture.</summary>
    internal SideFile? OfChannel() =>
        OutputSize.Length == 3 && OutputSize[0] == InputSize[0]
            ? this with
            {
                InputSize = [1, .. InputSize[1..]],
                OutputSize = [1, .. OutputSize[1..]],
            }
            : null;

    /// <summary>Seed of the noise.</summary>
    public ulong Seed { get; init; }

    /// <summary>Channels, height and width of the clean picture.</summary>
    public required int[] InputSize { get; init; }

    /// <summary>The measurement's shape.</summary>
    public required long[] OutputSize { get; init; }

    /// <summary>Whether the stored measurement was clipped to [0,1] and quantised.</summary>
    public bool Clipped { get; init; }

    /// <summary>Name of the file with the mask, in the same folder; it takes the place of the spec's own.</summary>
    public string? Mask { get; init; }

    /// <summary>Name of the file with the kernel, in the same folder.</summary>
    public string? Kernel { get; init; }

    /// <summary>
    /// What 0 and 1 stand for in the clean picture's file, as <c>BLACK..WHITE</c>; null: nobody said. The measurement itself is on [0,1].
    /// </summary>
    public string? Range { get; init; }

    /// <summary>Number format of the measurement.</summary>
    public string Dtype { get; init; } = "float32";

    /// <summary>Threads that it was computed with.</summary>
    public int? Threads { get; init; }

    /// <summary>Versions of this program and of libtorch.</summary>
    public Dictionary<string, string>? Versions { get; init; }

    /// <summary>Name of the measurement's file; older side files do not say.</summary>
    public string? Measurement { get; init; }

    /// <summary>SHA-256 of the measurement's file: a file with other bytes is not the measurement, whatever its name.</summary>
    public string? MeasurementSha256 { get; init; }

    /// <summary>SHA-256 of the clean picture's file.</summary>
    public string? InputSha256 { get; init; }

    /// <summary>What a job calls this measurement: equal for equal input and settings; null in files of older versions.</summary>
    public string? Key { get; init; }

    /// <summary>The side file of a measurement: the same name with <c>.json</c>.</summary>
    public static string PathFor(string measurement) => Path.ChangeExtension(measurement, ".json");

    /// <summary>Reads the side file of a measurement.</summary>
    /// <returns>null when there is none, or it belongs to another file, such as NAME.tif beside NAME.png.</returns>
    /// <exception cref="DiffusionException">It is damaged, or of a newer version.</exception>
    public static SideFile? Find(string measurement)
    {
        string path = PathFor(measurement);
        if (!File.Exists(path))
            return null;
        try
        {
            using FileStream stream = File.OpenRead(path);
            const int LargestSideFile = 1 << 20;
            if (stream.Length > LargestSideFile)
                throw new DiffusionException("The side file is too large to be one", path, "Delete it and pass -A and --noise");
            JsonNode? node = JsonNode.Parse(stream);
            // Any program may write NAME.json beside NAME.png: only ours has an operator.
            if (node is not JsonObject content || !content.ContainsKey("operator") || !content.ContainsKey("output_size"))
                return null;
            SideFile side = content.Deserialize<SideFile>(Format)!;
            if (side.MeasurementSha256 is { } hash && File.Exists(measurement) && hash != HashOf(measurement))
                return null;
            if (side.Version > CurrentVersion)
                throw new DiffusionException(
                    $"The side file is of version {side.Version}, newer than {CurrentVersion}",
                    path,
                    "Update diffusion"
                );
            if (
                side.InputSize is not [> 0, > 0, > 0]
                || !(side.Noise >= 0)
                || (side.Range is { } range && ValueRange.Parse(range) is not { IsAuto: false })
                || (side.Poisson is { } text && NoiseModel.Parse(text) is not { IsAuto: false })
            )
                throw new DiffusionException("The side file holds impossible values", path, "Delete it and pass -A and --noise");
            return side;
        }
        catch (JsonException e)
        {
            throw new DiffusionException("The side file is damaged", path, "Delete it and pass -A and --noise", e);
        }
    }

    /// <summary>The path of a file that it names: side files are untrusted, and name files in their own folder and nowhere else.</summary>
    /// <param name="name">The name; null: it names none.</param>
    /// <param name="folder">Where it lies.</param>
    /// <exception cref="DiffusionException">The file is missing, or lies elsewhere.</exception>
    [return: NotNullIfNotNull(nameof(name))]
    internal string? Beside(string? name, string folder)
    {
        if (name is null)
            return null;
        if (Path.GetFileName(name) != name)
            throw new DiffusionException("The side file names a file in another folder", name, "Pass -A with the operator");
        string path = Path.Combine(folder, name);
        return File.Exists(path)
            ? path
            : throw new DiffusionException("A file that the side file names is missing", path, "Put it back, or pass -A with the operator");
    }

    /// <summary>This side file for a measurement that has been written.</summary>
    internal SideFile For(string measurement) =>
        this with
        {
            Measurement = Path.GetFileName(measurement),
            MeasurementSha256 = HashOf(measurement),
        };

    private static string HashOf(string file)
    {
        using FileStream stream = File.OpenRead(file);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    /// <summary>The file's text.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Format) + "\n";
}
