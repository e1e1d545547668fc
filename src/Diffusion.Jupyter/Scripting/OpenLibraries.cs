using System.Reflection;

namespace Diffusion.Jupyter.Scripting;

/// <summary>What a cell can use without asking: the libraries of this process, and the namespaces that are open.</summary>
internal static class OpenLibraries
{
    private static readonly Assembly[] Ours =
    [
        typeof(Interactive.Notebook).Assembly,
        typeof(Restoration.Restorer).Assembly,
        typeof(Operators.ShippedOperators).Assembly,
        typeof(Imaging.Picture).Assembly,
        typeof(torch).Assembly,
        typeof(ScottPlot.Plot).Assembly,
    ];

    /// <summary>Namespaces that are open in each cell.</summary>
    public static IReadOnlyList<string> Namespaces { get; } =
    [
        "System",
        "System.Collections.Generic",
        "System.IO",
        "System.Linq",
        "System.Threading",
        "System.Threading.Tasks",
        "TorchSharp",
        .. Ours.Take(4)
            .SelectMany(assembly => assembly.GetExportedTypes())
            .Select(type => type.Namespace!)
            .Where(name => name.Count(letter => letter == '.') < 2)
            .Distinct()
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>The framework's libraries and ours.</summary>
    public static IReadOnlyList<string> References { get; } =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
            .Split(Path.PathSeparator)
            .Where(path => Path.GetDirectoryName(path) == Path.GetDirectoryName(typeof(object).Assembly.Location)),
        .. Ours.Select(assembly => assembly.Location),
    ];
}
