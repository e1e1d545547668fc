namespace Diffusion.Pipeline;

/// <summary>Finds the clean picture that belongs to an input.</summary>
public sealed class References
{
    private readonly string? _path;
    private readonly Dictionary<string, string> _byName = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>References at <paramref name="path"/>: a file for one input, or a folder with files of the same names.</summary>
    /// <exception cref="JobException">There is no such path, or one file stands against several inputs.</exception>
    public References(string? path, IReadOnlyList<string> inputs)
    {
        _path = path;
        if (path is null)
            return;
        if (Directory.Exists(path))
        {
            foreach (string file in InputFiles.Expand([path], ".npz", ".npy"))
                _byName[Path.GetFileNameWithoutExtension(file)] = file;
            return;
        }
        if (!File.Exists(path))
            throw new JobException("There is no such file", path, "Check --reference");
        if (inputs.Count > 1)
            throw new JobException(
                $"One reference stands against {inputs.Count} inputs",
                path,
                "Pass a folder whose files have the inputs' names"
            );
    }

    /// <summary>The clean picture's file, or null without <c>--reference</c>.</summary>
    /// <exception cref="JobException">The folder has none of this name.</exception>
    public string? For(string input)
    {
        if (_path is null)
            return null;
        if (_byName.Count == 0)
            return _path;
        string name = Path.GetFileNameWithoutExtension(input);
        // photo_degraded belongs to photo: the longest name that the input's begins with.
        return _byName.Keys.Where(key => name.StartsWith(key, StringComparison.OrdinalIgnoreCase)).MaxBy(key => key.Length) is { } match
            ? _byName[match]
            : throw new JobException($"There is no reference for {input}", _path, $"Put {name}.png there, or leave --reference out");
    }
}
