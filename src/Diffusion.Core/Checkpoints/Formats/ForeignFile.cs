using System.Text;

namespace Diffusion.Checkpoints;

/// <summary>Names files that people take for checkpoints.</summary>
internal static class ForeignFile
{
    private const string Export = "Export the weights as safetensors or with torch.save";

    private static readonly (int Offset, byte[] Magic, string What, string Remedy)[] Known =
    [
        (
            0,
            [.. "version https://git-lfs"u8],
            "This is a git LFS pointer, not the file it points to",
            "Run git lfs pull, or download the file itself"
        ),
        (
            257,
            [.. "ustar"u8],
            "This is a PyTorch checkpoint of before 2017 (a tar archive), which is not supported",
            "Save it again with a newer PyTorch"
        ),
        (0, [0x89, .. "HDF"u8], "This is an HDF5 file, not a checkpoint of PyTorch", Export),
        (0, [.. "GGUF"u8], "This is a GGUF file, not a checkpoint of PyTorch", Export),
        (0, [0x93, .. "NUMPY"u8], "This is a NumPy array, not a checkpoint", Export),
        (0, [0x1f, 0x8b], "This is a gzip archive, not a checkpoint", "Unpack it first"),
    ];

    /// <summary>What a file that begins so is, and what to do; null when it is nothing of the kind.</summary>
    public static (string What, string Remedy)? Recognize(ReadOnlySpan<byte> start)
    {
        foreach ((int offset, byte[] magic, string what, string remedy) in Known)
            if (start.Length >= offset && start[offset..].StartsWith(magic))
                return (what, remedy);
        bool isMarkup = Encoding.UTF8.GetString(start).TrimStart('\uFEFF', ' ', '\t', '\r', '\n').StartsWith('<');
        return isMarkup
            ? ("This is a web page or XML text, not a checkpoint", "Download the file itself; the site may want a login")
            : null;
    }
}
