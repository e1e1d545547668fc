using System.Text;
using Diffusion.Runtime;

namespace Diffusion.Checkpoints;

/// <summary>Opens weight files of every supported format.</summary>
public static class Checkpoint
{
    /// <summary>Opens a weight file and reads its table of contents, not its tensors. Nothing in the file is executed.</summary>
    /// <param name="path">A <c>.safetensors</c> file, or a file written by PyTorch's <c>torch.save</c> (<c>.pt</c>, <c>.pth</c>, <c>.ckpt</c>, <c>.bin</c>). The format is told by content, never by extension.</param>
    /// <returns>The checkpoint; the caller disposes it.</returns>
    /// <exception cref="CheckpointException">There is no such file, it is damaged, or it is of another kind.</exception>
    public static ICheckpoint Open(string path)
    {
        CheckpointFile file = new(path);
        try
        {
            return Open(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static ICheckpoint Open(CheckpointFile file)
    {
        ReadOnlySpan<byte> start = file.ReadBytes(0, Math.Min(file.Length, 512));
        if (start.IsEmpty) throw new CheckpointException("The file is empty", file.Path, "Fetch it again");
        if (HasSafetensorsStart(start)) return new SafetensorsCheckpoint(file);
        if (start.StartsWith("PK\x03\x04"u8) || start.StartsWith("PK\x05\x06"u8)) return PyTorchZip.Open(file);
        if (start[0] == 0x80 && start.Length > 1 && start[1] <= 5) return PyTorchLegacy.Open(file);
        if (Foreign(start) is { } what) throw new CheckpointException(what.What, file.Path, what.Remedy);
        return new SafetensorsCheckpoint(file);
    }

    // A header below 4 GiB, then a brace: no zip archive or pickle has a 0 in bytes 4 to 7.
    private static bool HasSafetensorsStart(ReadOnlySpan<byte> start) => start.Length > 8 && start[8] == '{' && start[4..8].IndexOfAnyExcept((byte)0) < 0;

    private static (string What, string Remedy)? Foreign(ReadOnlySpan<byte> start)
    {
        const string Export = "Export the weights as safetensors or with torch.save";
        if (start.StartsWith("version https://git-lfs"u8)) return ("This is a git LFS pointer, not the file it points to", "Run git lfs pull, or download the file itself");
        if (start.Length > 262 && start.Slice(257, 5).SequenceEqual("ustar"u8)) return ("This is a PyTorch checkpoint of before 2017 (a tar archive), which is not supported", "Save it again with a newer PyTorch");
        if (Encoding.Latin1.GetString(start).TrimStart('\uFEFF', 'ï', '»', '¿', ' ', '\t', '\r', '\n').StartsWith('<')) return ("This is a web page or XML text, not a checkpoint", "Download the file itself; the site may want a login");
        if (start.StartsWith("\x89HDF"u8)) return ("This is an HDF5 file, not a checkpoint of PyTorch", Export);
        if (start.StartsWith("GGUF"u8)) return ("This is a GGUF file, not a checkpoint of PyTorch", Export);
        if (start.StartsWith("\x93NUMPY"u8)) return ("This is a NumPy array, not a checkpoint", Export);
        if (start.Length > 1 && start[0] == 0x1f && start[1] == 0x8b) return ("This is a gzip archive, not a checkpoint", "Unpack it first");
        return start.Length < 9 || start[7] == 0 || start[8] == '{' ? null : ("This is not a checkpoint", "Give a .safetensors file or one written by torch.save");
    }
}
