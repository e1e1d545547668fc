using Diffusion.Runtime;
using Diffusion.Synthesis.Rendering;

namespace Diffusion.Synthesis.DataSets;

/// <summary>The generators by name.</summary>
public static class Generators
{
    /// <summary>The renderers.</summary>
    public const string Rendered = "rendered";

    private static readonly Dictionary<string, Func<IDegradationGenerator>> ByName = new(StringComparer.OrdinalIgnoreCase)
    {
        [Rendered] = () => new RenderedGenerator(),
    };

    /// <summary>Opens one.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>The caller's.</returns>
    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public static IDegradationGenerator Open(string name) =>
        ByName.TryGetValue(name, out Func<IDegradationGenerator>? open)
            ? open()
            : throw new ArgumentException($"There is no generator \"{name}\". {NearestName.Advice(name, ByName.Keys)}");
}
