using System.Text.RegularExpressions;
using Diffusion.Runtime;

namespace Diffusion.Pipeline;

/// <summary>
/// The shell's patterns for one part of a path, for shells that leave them to us: <c>*</c>, <c>?</c>, <c>[a-z]</c>, <c>[!a-z]</c>.
/// </summary>
internal sealed partial class GlobPattern
{
    private readonly Regex _regex;

    /// <summary>Reads a pattern.</summary>
    /// <exception cref="ImageException">A range runs backwards.</exception>
    public GlobPattern(string pattern)
    {
        string escaped = Regex.Escape(pattern).Replace(@"\*", ".*", StringComparison.Ordinal).Replace(@"\?", ".", StringComparison.Ordinal);
        try
        {
            _regex = new Regex(
                $"^{Brackets.Replace(escaped, m => $"[{(m.Groups[1].Success ? "^" : "")}{m.Groups[2].Value}]")}$",
                RegexOptions.IgnoreCase | RegexOptions.Singleline | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking
            );
        }
        catch (ArgumentException e)
        {
            throw new ImageException("The pattern is not valid", pattern, "Ranges run upwards, for example [a-z]", e);
        }
    }

    /// <summary>Whether a path's part is a pattern rather than a name.</summary>
    public static bool Is(string part) => part.AsSpan().IndexOfAny("*?[") >= 0;

    /// <summary>Whether the last part of <paramref name="path"/> matches.</summary>
    public bool Matches(string path) => _regex.IsMatch(Path.GetFileName(path));

    [GeneratedRegex(@"\\\[(!|\\\^)?(.+?)\]")]
    private static partial Regex Brackets { get; }
}
