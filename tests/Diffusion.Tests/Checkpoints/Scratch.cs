namespace Diffusion.Tests.Checkpoints;

/// <summary>A temporary folder.</summary>
internal sealed class Scratch : IDisposable
{
    public Scratch() => Directory.CreateDirectory(Folder);

    public string Folder { get; } = Path.Combine(Path.GetTempPath(), $"diffusion-tests-{Guid.NewGuid():N}");

    /// <summary>Writes a file and returns its path.</summary>
    public string File(string name, byte[] content)
    {
        string path = Path.Combine(Folder, name);
        System.IO.File.WriteAllBytes(path, content);
        return path;
    }

    public string At(string name) => Path.Combine(Folder, name);

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
