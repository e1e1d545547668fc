namespace Diffusion.Tests.Architecture;

/// <summary>The repository's own C# files.</summary>
internal static class Sources
{
    /// <summary>The files under folders of the repository, without what builds leave there.</summary>
    public static IEnumerable<string> Under(params string[] folders) =>
        folders
            .Select(folder => Path.Combine(TestPaths.Repository, folder))
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories))
            .Where(file => !Relative(file).Split('/').Any(part => part is "bin" or "obj"))
            .Order(StringComparer.Ordinal);

    /// <summary>A file's path inside the repository, with slashes.</summary>
    public static string Relative(string file) => Path.GetRelativePath(TestPaths.Repository, file).Replace('\\', '/');
}
