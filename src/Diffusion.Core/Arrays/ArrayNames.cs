using Diffusion.Runtime;

namespace Diffusion.Arrays;

/// <summary>Finds the array that is meant among those of a file.</summary>
internal static class ArrayNames
{
    private const int MostListed = 12;

    /// <summary>The index of the array.</summary>
    /// <param name="names">All arrays of the file.</param>
    /// <param name="key">The name that was asked for; null takes the only one.</param>
    /// <param name="where">For error messages.</param>
    /// <exception cref="ImageException">None, no such name, or several and no name.</exception>
    public static int Choose(IReadOnlyList<string> names, string? key, string where)
    {
        if (names.Count == 0)
            throw new ImageException("The file holds no array of numbers", where, "Write the array into it, or name another file");
        if (key is null)
            return names.Count == 1
                ? 0
                : throw new ImageException($"The file holds {names.Count} arrays: {List(names)}", where, $"Choose one with key={names[0]}");
        for (int i = 0; i < names.Count; i++)
        {
            if (names[i].TrimStart('/') == key.TrimStart('/'))
                return i;
        }
        throw new ImageException(
            $"The file holds no array \"{key}\"",
            where,
            NearestName.Of(key, names) is { } near ? $"Did you mean \"{near}\"?" : $"It holds {List(names)}"
        );
    }

    private static string List(IReadOnlyList<string> names) =>
        string.Join(", ", names.Take(MostListed)) + (names.Count > MostListed ? $" and {names.Count - MostListed} more" : "");
}
