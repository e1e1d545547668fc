using System.Text.Json;
using System.Text.Json.Nodes;
using Diffusion.Imaging;
using Diffusion.Runtime;
using Diffusion.Synthesis;
using Diffusion.Synthesis.DataSets;
using Diffusion.Synthesis.Intensities;

namespace Diffusion.Training;

/// <summary>
/// Finds pairs to train on: in sets that <c>diffusion synthesize</c> made, and in folders of pairs that bear a degradation's name, each
/// alone or several below one folder. There, a <c>MANIFEST.tsv</c> with the columns <c>file</c> and <c>scene</c> says which pairs show the
/// same scene.
/// </summary>
public static class PairFolders
{
    private const string Manifest = "MANIFEST.tsv";

    private static readonly Dictionary<string, DegradationKind> Aliases = new(StringComparer.OrdinalIgnoreCase)
    {
        ["blur"] = DegradationKind.MotionBlur,
        ["lowlight"] = DegradationKind.LowLight,
        ["raindrops"] = DegradationKind.Raindrop,
    };

    /// <summary>Finds them.</summary>
    /// <exception cref="DiffusionException">A folder holds none, or a set that is not complete.</exception>
    public static IReadOnlyList<PairFile> Find(IReadOnlyList<string> folders) => [.. folders.SelectMany(InFolder)];

    private static IEnumerable<PairFile> InFolder(string folder)
    {
        if (!Directory.Exists(folder))
            throw new ImageException("There is no such folder of pairs", folder, "Check the path");
        if (new SetFolder(folder).Read() is not null)
            return OfSet(folder);
        if (KindOf(folder) is { } kind)
            return OfPairs(folder, kind);
        string[] below = [.. Directory.EnumerateDirectories(folder).Where(one => KindOf(one) is not null).Order(StringComparer.Ordinal)];
        return below.Length > 0
            ? below.SelectMany(one => OfPairs(one, KindOf(one)!.Value))
            : throw new ImageException(
                "The folder holds no set, and neither it nor a folder below bears the name of a degradation",
                folder,
                $"Give a set that diffusion synthesize made, or name folders of pairs {string.Join(", ", DegradationKinds.Names)}"
            );
    }

    private static IEnumerable<PairFile> OfSet(string folder)
    {
        string list = Path.Combine(folder, SetManifest.Lines);
        if (!File.Exists(list))
            throw new ImageException("The set is not complete: its list is missing", list, "Run diffusion synthesize again with --resume");
        foreach ((int i, string line) in File.ReadLines(list).Index())
        {
            JsonObject? sample = null;
            try
            {
                sample = JsonNode.Parse(line) as JsonObject;
            }
            catch (JsonException) { }
            if (
                sample?["degradation"]?.ToString() is not { } name
                || sample["source_sha256"]?.ToString() is not { } sha
                || sample["source"]?.ToString() is not { } source
            )
                throw new ImageException(
                    $"Line {i + 1} of the set's list is damaged",
                    list,
                    "Run diffusion synthesize again with --resume"
                );
            if (sample["clean"]?.ToString() is not { } clean || sample["degraded"]?.ToString() is not { } degraded)
                throw new ImageException(
                    "The set's pictures lie in tar files, which training does not read",
                    list,
                    "Make the set with --format folders"
                );
            yield return new PairFile(
                Path.Combine(folder, clean),
                Path.Combine(folder, degraded),
                DegradationKinds.Parse(name),
                sha,
                folder
            )
            {
                Source = (Path.GetFileName(source), sha),
            };
        }
    }

    private static IEnumerable<PairFile> OfPairs(string folder, DegradationKind kind)
    {
        Dictionary<string, string> scenes = Scenes(Path.Combine(folder, Manifest));
        return PicturePairs
            .Find(folder)
            .Select(pair => new PairFile(
                pair.Clean,
                pair.Degraded,
                kind,
                scenes.GetValueOrDefault(Path.GetFileName(pair.Degraded)) ?? Path.GetFileNameWithoutExtension(pair.Clean),
                folder
            ));
    }

    private static Dictionary<string, string> Scenes(string manifest)
    {
        if (!File.Exists(manifest))
            return [];
        string[][] rows = [.. File.ReadLines(manifest).Select(line => line.Split('\t'))];
        int file = Array.IndexOf(rows.FirstOrDefault() ?? [], "file"),
            scene = Array.IndexOf(rows.FirstOrDefault() ?? [], "scene");
        return file < 0 || scene < 0
            ? []
            : rows.Skip(1).Where(row => row.Length > Math.Max(file, scene)).ToDictionary(row => row[file], row => row[scene]);
    }

    private static DegradationKind? KindOf(string folder)
    {
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        int at = DegradationKinds.Names.ToList().IndexOf(name.ToLowerInvariant());
        return at >= 0 ? Enum.GetValues<DegradationKind>()[at]
            : Aliases.TryGetValue(name, out DegradationKind kind) ? kind
            : null;
    }
}
