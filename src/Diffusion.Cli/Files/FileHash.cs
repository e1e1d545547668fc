using System.Security.Cryptography;

namespace Diffusion.Cli.Files;

/// <summary>Hashes of files.</summary>
internal static class FileHash
{
    /// <summary>SHA-256 in lower-case hexadecimal.</summary>
    public static string Sha256(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
