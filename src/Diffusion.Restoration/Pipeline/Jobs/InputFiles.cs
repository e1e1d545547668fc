using Diffusion.Imaging;
using Diffusion.Runtime;

namespace Diffusion.Pipeline;

/// <summary>Finds the files that the user's words mean: files, folders, globs, <c>-</c> for standard input.</summary>
public static class InputFiles
{
    /// <summary>Standard input.</summary>
    public const string StandardInput = ImageFile.Standard;

    /// <summary>Whether a path names a picture by its extension.</summary>
    public static bool IsPicture(string path) =>
        ImageFormats.Extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>Expands <paramref name="words"/> into files, in order, each once.</summary>
    /// <param name="words">What the user wrote.</param>
    /// <param name="alsoTake">Further extensions that count as inputs in folders.</param>
    /// <exception cref="ImageException">A word means no file.</exception>
    public static IReadOnlyList<string> Expand(IEnumerable<string> words, params string[] alsoTake)
    {
        List<string> files = [];
        foreach (string word in words)
            files.AddRange(Expand(word, alsoTake));
        HashSet<string> stems = [.. files.Where(file => !IsCompanion(file)).Select(Stem)];
        return
        [
            .. files
                .Where(file => !IsCompanion(file) || !stems.Contains(Path.ChangeExtension(Stem(file), null)))
                .DistinctBy(file => file == StandardInput ? file : Path.GetFullPath(file)),
        ];
    }

    private static IReadOnlyList<string> Expand(string word, string[] alsoTake)
    {
        if (word == StandardInput || File.Exists(word))
            return [word];
        if (Directory.Exists(word))
        {
            string[] inside =
            [
                .. Directory
                    .EnumerateFiles(word)
                    .Where(file =>
                        (IsPicture(file) || alsoTake.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase))
                        && !IsCompanion(file)
                    )
                    .Order(StringComparer.Ordinal),
            ];
            return inside.Length > 0
                ? inside
                : throw new ImageException(
                    "The folder holds no picture",
                    word,
                    $"Supported are {string.Join(", ", ImageFormats.Extensions)}"
                );
        }
        if (!GlobPattern.Is(word))
            throw new ImageException(
                "There is no such file",
                word,
                NearFile(word) is { } near ? $"Did you mean {near}?" : "Check the path"
            );
        string[] found = [.. Glob(word).Order(StringComparer.Ordinal)];
        return found.Length > 0 ? found : throw new ImageException("No file matches", word, "Check the pattern");
    }

    /// <summary>Files that <c>degrade</c> writes beside a measurement: previews, masks, kernels.</summary>
    private static bool IsCompanion(string file)
    {
        string name = Path.GetFileNameWithoutExtension(file);
        return new[] { ".preview", ".mask", ".kernel" }.Any(suffix => name.EndsWith(suffix, StringComparison.OrdinalIgnoreCase));
    }

    private static string Stem(string file) => Path.ChangeExtension(Path.GetFullPath(file), null);

    private static IEnumerable<string> Glob(string pattern)
    {
        string[] parts = pattern.Split('/', Path.DirectorySeparatorChar);
        IEnumerable<string> folders = [parts[0].Length == 0 ? "/" : "."];
        int first = parts[0].Length == 0 ? 1 : 0;
        for (int i = first; i < parts.Length - 1; i++)
        {
            string part = parts[i];
            folders = part switch
            {
                "**" => folders.SelectMany(f => Directory.EnumerateDirectories(f, "*", SearchOption.AllDirectories).Prepend(f)),
                _ when !GlobPattern.Is(part) => folders.Select(f => Path.Combine(f, part)).Where(Directory.Exists),
                _ => folders.SelectMany(f => Directory.EnumerateDirectories(f).Where(new GlobPattern(part).Matches)),
            };
        }
        return folders
            .SelectMany(Directory.EnumerateFiles)
            .Where(new GlobPattern(parts[^1]).Matches)
            .Select(f => f.StartsWith("./", StringComparison.Ordinal) ? f[2..] : f);
    }

    private static string? NearFile(string word)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(word)) ?? ".";
        if (!Directory.Exists(folder))
            return null;
        string? near = NearestName.Of(Path.GetFileName(word), Directory.EnumerateFiles(folder).Select(f => Path.GetFileName(f)));
        return near is null ? null : Path.Combine(Path.GetDirectoryName(word) ?? "", near);
    }
}
