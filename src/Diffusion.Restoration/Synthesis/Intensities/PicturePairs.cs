using Diffusion.Imaging;
using Diffusion.Runtime;

namespace Diffusion.Synthesis.Intensities;

/// <summary>
/// Finds the pairs in a folder: sub-folders <c>clean</c> and <c>degraded</c>, or <c>NAME-clean</c> beside <c>NAME-degraded</c>.
/// </summary>
public static class PicturePairs
{
    private const string Clean = "clean",
        Degraded = "degraded";

    /// <summary>Finds them.</summary>
    /// <exception cref="ImageException">There are none.</exception>
    public static IReadOnlyList<(string Clean, string Degraded)> Find(string folder)
    {
        if (!Directory.Exists(folder))
            throw new ImageException("There is no such folder", folder, "Check the path");
        string cleanFolder = Path.Combine(folder, Clean),
            degradedFolder = Path.Combine(folder, Degraded);
        (string, string)[] pairs =
            Directory.Exists(cleanFolder) && Directory.Exists(degradedFolder)
                ? Match(Pictures(cleanFolder), Pictures(degradedFolder), Path.GetFileNameWithoutExtension)
                : Match(Ending(folder, "-" + Clean), Ending(folder, "-" + Degraded), file => Stem(file));
        return pairs.Length > 0
            ? pairs
            : throw new ImageException(
                "There are no pairs in this folder",
                folder,
                "Lay them as clean/NAME.png and degraded/NAME.png, or as NAME-clean.png and NAME-degraded.png"
            );
    }

    private static (string, string)[] Match(IEnumerable<string> clean, IEnumerable<string> degraded, Func<string, string> name)
    {
        ILookup<string, string> partners = degraded.ToLookup(name, StringComparer.Ordinal);
        return [.. from file in clean from partner in partners[name(file)] select (file, partner)];
    }

    private static string Stem(string file) => Path.GetFileNameWithoutExtension(file) is var name ? name[..name.LastIndexOf('-')] : "";

    private static IEnumerable<string> Ending(string folder, string ending) =>
        Pictures(folder).Where(file => Path.GetFileNameWithoutExtension(file).EndsWith(ending, StringComparison.OrdinalIgnoreCase));

    private static IEnumerable<string> Pictures(string folder) =>
        Directory
            .EnumerateFiles(folder)
            .Where(file => ImageFormats.Extensions.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase))
            .Order(StringComparer.Ordinal);
}
