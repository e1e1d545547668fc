namespace Diffusion.EndToEnd;

/// <summary>A temporary folder with a space in its name, deleted at the end.</summary>
public sealed class Workspace : IDisposable
{
    /// <summary>The folder.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("diffusion test ").FullName;

    /// <summary>A path inside.</summary>
    public string this[string name] => Path.Combine(Folder, name);

    /// <summary>Names of the files inside, sorted.</summary>
    public string[] Files =>
        [
            .. Directory
                .EnumerateFiles(Folder, "*", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(Folder, file))
                .Order(StringComparer.Ordinal),
        ];

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
