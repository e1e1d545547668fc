using System.Security.Cryptography;

namespace Diffusion.Restoration;

/// <summary>SHA-256 of files in lower-case hexadecimal, each computed once.</summary>
public sealed class FileHashes
{
    private readonly Dictionary<string, string> _known = [];

    /// <summary>All of it.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public string Of(string path)
    {
        if (_known.TryGetValue(path, out string? known))
            return known;
        using FileStream stream = File.OpenRead(path);
        return _known[path] = Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    /// <summary>The first 12 digits, which stand for a file in tables.</summary>
    public string Short(string path) => Of(path)[..12];
}
