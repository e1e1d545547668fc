using System.Globalization;
using Diffusion.Cli.Shell;
using Diffusion.Runtime;

namespace Diffusion.Cli.Restoring;

/// <summary>The class of each picture, for class-conditional priors.</summary>
internal sealed class Classes
{
    private readonly Dictionary<string, long> _byName = new(StringComparer.Ordinal);
    private readonly long? _same;

    private Classes(long? same) => _same = same;

    /// <summary>Reads <c>--classes</c> (lines of NAME CLASS, separated by blanks, a comma or a tab) and <c>--class</c>.</summary>
    /// <exception cref="DiffusionException">A line is neither empty nor NAME CLASS.</exception>
    public static Classes Read(string? file, int? same)
    {
        Classes classes = new(same);
        if (file is null)
            return classes;
        if (!File.Exists(file))
            throw new UsageException("There is no such file", file, "Check --classes");
        int number = 0;
        foreach (string line in File.ReadLines(file))
        {
            number++;
            if (line.Trim() is not { Length: > 0 } text || text[0] == '#')
                continue;
            int at = text.LastIndexOfAny([' ', '\t', ',']);
            if (at < 1 || !long.TryParse(text[(at + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out long label))
                throw new DiffusionException(
                    $"Line {number} is not NAME CLASS",
                    file,
                    "Write one picture's name and a whole number a line"
                );
            classes._byName[Path.GetFileNameWithoutExtension(text[..at].Trim(' ', '\t', ','))] = label;
        }
        return classes;
    }

    /// <summary>No classes.</summary>
    public static Classes None { get; } = new(null);

    /// <summary>Whether any class was given.</summary>
    public bool Any => _same is not null || _byName.Count > 0;

    /// <summary>The class of a file; null when nobody says it.</summary>
    public long? Of(string input) => _byName.TryGetValue(Path.GetFileNameWithoutExtension(input), out long label) ? label : _same;
}
