using System.Globalization;
using Diffusion.Runtime;

namespace Diffusion.Restoration;

/// <summary>Which pages of a stack are meant, counted from 1.</summary>
/// <param name="First">The first.</param>
/// <param name="Last">The last; null: that of the file.</param>
public readonly record struct PageSelection(int First, int? Last)
{
    /// <summary>Every page.</summary>
    public static PageSelection All { get; } = new(1, null);

    /// <summary>Whether it may mean several.</summary>
    public bool IsSeveral => Last != First;

    /// <summary>Reads <c>all</c>, <c>N</c> or <c>A..B</c>.</summary>
    /// <returns>null where the text is none of them.</returns>
    public static PageSelection? Parse(string text)
    {
        if (text == "all")
            return All;
        string[] parts = text.Split("..");
        return
            parts.Length is 1 or 2
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int first)
            && int.TryParse(parts[^1], NumberStyles.None, CultureInfo.InvariantCulture, out int last)
            && first > 0
            && last >= first
            ? new(first, last)
            : null;
    }

    /// <summary>The pages of a file.</summary>
    /// <param name="pages">How many it has.</param>
    /// <param name="where">The file.</param>
    /// <exception cref="ImageException">It has fewer.</exception>
    public IReadOnlyList<int> Of(int pages, string where) =>
        (Last ?? pages) <= pages && First <= pages
            ? [.. Enumerable.Range(First, (Last ?? pages) - First + 1)]
            : throw new ImageException($"There is no page {Last ?? First}", where, $"The file has pages 1 to {pages}");

    /// <inheritdoc/>
    public override string ToString() =>
        this == All ? "all"
        : IsSeveral ? string.Create(CultureInfo.InvariantCulture, $"{First}..{Last}")
        : First.ToString(CultureInfo.InvariantCulture);
}
