using System.Reflection;

namespace Diffusion.Jupyter.Scripting;

/// <summary>What a cell can use without asking: the libraries of this process, and the namespaces that are open.</summary>
public static class OpenLibraries
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
        "Diffusion.Evaluation",
        "Diffusion.Faces",
        "Diffusion.Imaging",
        "Diffusion.Interactive",
        "Diffusion.Inverse",
        "Diffusion.Metrics",
        "Diffusion.Models",
        "Diffusion.Operators",
        "Diffusion.Pipeline",
        "Diffusion.Restoration",
        "Diffusion.Runtime",
        "Diffusion.Settings",
        "Diffusion.Solvers",
        "Diffusion.Synthesis",
        "Diffusion.Training",
    ];

    /// <summary>Names of libtorch that are written without its class.</summary>
    public const string Aliases = """
        using Tensor = TorchSharp.torch.Tensor;
        using ScalarType = TorchSharp.torch.ScalarType;
        using Device = TorchSharp.torch.Device;
        """;

    /// <summary>The framework's libraries and ours.</summary>
    public static IReadOnlyList<string> References { get; } =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
            .Split(Path.PathSeparator)
            .Where(path => Path.GetDirectoryName(path) == Path.GetDirectoryName(typeof(object).Assembly.Location)),
        .. Ours.Select(assembly => assembly.Location),
    ];
}
