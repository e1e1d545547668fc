using Diffusion.Runtime;

namespace Diffusion.Pipeline;

/// <summary>Decides, before anything is computed, which file each result goes to.</summary>
public sealed class OutputPlan
{
    /// <summary>Standard output.</summary>
    public const string StandardOutput = "-";

    private OutputPlan(IReadOnlyList<string> paths) => Paths = paths;

    /// <summary>One path per input.</summary>
    public IReadOnlyList<string> Paths { get; }

    /// <summary>Plans.</summary>
    /// <param name="inputs">The inputs; never overwritten.</param>
    /// <param name="output">What <c>-o</c> says, or null.</param>
    /// <param name="defaultPattern">Used without <c>-o</c>, beside the input: <c>{name}_restored.png</c>.</param>
    /// <param name="extension">The extension inside a folder, with the dot.</param>
    /// <param name="force">Existing outputs may be overwritten.</param>
    /// <param name="mayExist">Existing outputs are fine (they will be looked at).</param>
    /// <param name="alsoRead">Further files that are read, and so never overwritten.</param>
    /// <param name="extensionOf">The extension of an input's result, in place of the one for all; null: the same for all.</param>
    /// <exception cref="JobException">Two results in one file, an input would be overwritten, or an output exists.</exception>
    public static OutputPlan Make(
        IReadOnlyList<string> inputs,
        string? output,
        string defaultPattern,
        string extension,
        bool force,
        bool mayExist = false,
        IEnumerable<string>? alsoRead = null,
        Func<string, string>? extensionOf = null
    )
    {
        if (output == StandardOutput)
            return inputs.Count == 1
                ? new([StandardOutput])
                : throw new JobException($"{inputs.Count} results cannot go to standard output", "-o -", "Give one input, or a folder");
        string[] paths = [.. inputs.Select(input => PathFor(input, inputs.Count, output, defaultPattern, extension, extensionOf))];
        CheckFree(paths, [.. inputs, .. alsoRead ?? []], force || mayExist);
        foreach (string folder in paths.Select(path => Path.GetDirectoryName(Path.GetFullPath(path))!).Distinct(PathComparer))
            CheckWritable(folder);
        return new(paths);
    }

    /// <summary>
    /// Inputs without what this very job wrote among them: a run that was killed, or another part of the job at this moment, leaves
    /// pictures that have no record yet. What the user names is an input whatever it looks like.
    /// </summary>
    /// <param name="inputs">What was found.</param>
    /// <param name="named">What the user wrote.</param>
    /// <param name="output">What <c>-o</c> says, or null.</param>
    /// <param name="defaultPattern">As for <see cref="Make"/>.</param>
    /// <param name="extension">As for <see cref="Make"/>.</param>
    /// <param name="extensionOf">As for <see cref="Make"/>.</param>
    public static IReadOnlyList<string> WithoutResults(
        IReadOnlyList<string> inputs,
        IReadOnlyCollection<string> named,
        string? output,
        string defaultPattern,
        string extension,
        Func<string, string>? extensionOf = null
    )
    {
        ILookup<string, string> sources = inputs.ToLookup(
            input => RealPath(PathFor(input, inputs.Count, output, defaultPattern, extension, extensionOf)),
            PathComparer
        );
        return
        [
            .. inputs.Where(file =>
                named.Contains(file) || RestoredFiles.OutputsOf(file).All(result => sources[RealPath(result)].All(source => source == file))
            ),
        ];
    }

    /// <summary>
    /// Checks that files can be written: each to a place of its own, over nothing that is read, and over nothing else unless <paramref
    /// name="mayExist"/>.
    /// </summary>
    /// <exception cref="JobException">One cannot.</exception>
    public static void CheckFree(IReadOnlyList<string> paths, IEnumerable<string> sources, bool mayExist)
    {
        HashSet<string> taken = new(PathComparer),
            read = new(sources.Where(i => i != InputFiles.StandardInput).Select(RealPath), PathComparer);
        foreach (string path in paths)
        {
            string real = RealPath(path);
            if (read.Contains(real))
                throw new JobException("The output would overwrite an input", path, "Choose another name");
            if (!taken.Add(real))
                throw new JobException("Two results would go to the same file", path, "Use a folder, or a pattern with {name}");
            if (File.Exists(Path.GetDirectoryName(real)))
                throw new JobException("The output's folder is a file", path, "Choose another name");
            if (Directory.Exists(real))
                throw new JobException("The output is a folder", path, "Choose another name");
            if (!mayExist && File.Exists(real))
                throw new JobException("The output exists already", path, "Pass --force to overwrite it");
        }
    }

    /// <summary>
    /// Hours of computing must not end at a folder that cannot be written to. A folder that is still to be made is judged by its parent.
    /// </summary>
    /// <exception cref="DiffusionException">It cannot.</exception>
    public static void CheckWritable(string folder)
    {
        string existing = Path.GetFullPath(folder);
        while (!Directory.Exists(existing) && Path.GetDirectoryName(existing) is { } parent)
            existing = parent;
        try
        {
            using FileStream probe = new(
                Path.Combine(existing, $".{Guid.NewGuid():N}"),
                new FileStreamOptions
                {
                    Mode = FileMode.CreateNew,
                    Access = FileAccess.Write,
                    Options = FileOptions.DeleteOnClose,
                }
            );
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DiffusionException(
                "The folder cannot be written to",
                existing,
                "Check its permissions, or choose another with -o",
                e
            );
        }
    }

    private static StringComparer PathComparer => OperatingSystem.IsLinux() ? StringComparer.Ordinal : StringComparer.OrdinalIgnoreCase;

    private static string PathFor(
        string input,
        int count,
        string? output,
        string defaultPattern,
        string extension,
        Func<string, string>? extensionOf
    )
    {
        if (extensionOf is not null)
            (extension, defaultPattern) = (extensionOf(input), Path.ChangeExtension(defaultPattern, extensionOf(input)));
        string name = input == InputFiles.StandardInput ? "stdin" : Path.GetFileNameWithoutExtension(input);
        if (output is null)
        {
            if (input == InputFiles.StandardInput)
                return StandardOutput;
            return Path.Combine(Path.GetDirectoryName(input) ?? "", defaultPattern.Replace("{name}", name, StringComparison.Ordinal));
        }
        if (output.Contains("{name}", StringComparison.Ordinal))
            return output.Replace("{name}", name, StringComparison.Ordinal);
        if (Directory.Exists(output) || output.EndsWith('/') || output.EndsWith(Path.DirectorySeparatorChar))
            return Path.Combine(output, name + extension);
        bool looksLikeFile = Path.HasExtension(output);
        if (count > 1 && looksLikeFile)
            throw new JobException($"{count} results cannot go to one file", output, "Use a folder, or a pattern with {name}");
        return looksLikeFile ? output : Path.Combine(output, name + extension);
    }

    /// <summary>The full path with links followed, so that a link to an input counts as the input.</summary>
    private static string RealPath(string path)
    {
        string full = Path.GetFullPath(path);
        try
        {
            return File.ResolveLinkTarget(full, returnFinalTarget: true)?.FullName ?? full;
        }
        catch (IOException)
        {
            return full;
        }
    }
}
