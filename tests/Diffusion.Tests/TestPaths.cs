using System.Reflection;

namespace Diffusion.Tests;

/// <summary>Where test data lies.</summary>
internal static class TestPaths
{
    /// <summary>The root of the repository.</summary>
    public static string Repository { get; } =
        typeof(TestPaths).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!;

    /// <summary>Reference data beside the repository (<c>DIFFUSION_SHARED</c>, default <c>../shared</c>); null when absent.</summary>
    public static string? Shared { get; } = FindShared();

    /// <summary>The folders of parity families: the repository's own cases and those beside it.</summary>
    public static IEnumerable<string> ParityRoots
    {
        get
        {
            string own = Path.Combine(Repository, "tests", "parity");
            if (Directory.Exists(own))
                yield return own;
            if (Shared is not null && Directory.Exists(Path.Combine(Shared, "parity")))
                yield return Path.Combine(Shared, "parity");
        }
    }

    private static string? FindShared()
    {
        string path = Environment.GetEnvironmentVariable("DIFFUSION_SHARED") is { Length: > 0 } set
            ? set
            : Path.Combine(Repository, "..", "shared");
        return Directory.Exists(path) ? Path.GetFullPath(path) : null;
    }
}
