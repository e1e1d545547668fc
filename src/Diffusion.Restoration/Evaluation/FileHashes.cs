using System.Security.Cryptography;

namespace Diffusion.Evaluation;

/// <summary>Fingerprints of files, each computed once.</summary>
internal sealed class FileHashes
{
    private readonly Dictionary<string, string> _known = [];

    /// <summary>The first 12 digits of the SHA-256 of a file.</summary>
    public string OfFile(string path)
    {
        if (_known.TryGetValue(path, out string? known))
            return known;
        using FileStream stream = File.OpenRead(path);
        return _known[path] = Convert.ToHexStringLower(SHA256.HashData(stream))[..12];
    }
}
