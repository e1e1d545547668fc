using System.Reflection;

namespace Diffusion.Restoration;

/// <summary>The versions that side files record.</summary>
public static class Versions
{
    /// <summary>This library's version.</summary>
    public static string Library { get; } =
        typeof(Versions).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    /// <summary>By name.</summary>
    public static Dictionary<string, string> Current =>
        new()
        {
            ["diffusion"] = Library,
            ["libtorch"] = torch.__version__,
            ["torchsharp"] = typeof(torch).Assembly.GetName().Version?.ToString(3) ?? "",
        };
}
