using System.Reflection;
using Diffusion.Inverse;

namespace Diffusion.Tests.Extending;

/// <summary>The built sample plug-in, which the tests know by its file only.</summary>
internal static class SamplePlugin
{
    /// <summary>Its dll.</summary>
    public static string Path { get; } =
        typeof(SamplePlugin).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "SamplePlugin").Value!;

    /// <summary>Its assembly, loaded as the command loads plug-ins.</summary>
    public static Assembly Load() => Assert.Single(Plugins.Load(Path));
}
