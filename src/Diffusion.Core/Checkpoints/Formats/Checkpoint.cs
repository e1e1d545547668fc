using Diffusion.Runtime;

namespace Diffusion.Checkpoints;

/// <summary>Opens weight files of every supported format.</summary>
public static class Checkpoint
{
    /// <summary>Opens a weight file and reads its table of contents, not its tensors. Nothing in the file is executed.</summary>
    /// <param name="path">
    /// A <c>.safetensors</c> file, or one written by PyTorch's <c>torch.save</c> (<c>.pt</c>, <c>.pth</c>, <c>.ckpt</c>, <c>.bin</c>),
    /// or the index (<c>.index.json</c>) of weights in several files. The format is told by content.
    /// </param>
    /// <returns>The checkpoint; the caller disposes it.</returns>
    /// <exception cref="CheckpointException">There is no such file, it is damaged, or it is of another kind.</exception>
    public static ICheckpoint Open(string path) => Open(path, mayBeIndex: true);

    private static ICheckpoint Open(string path, bool mayBeIndex)
    {
        CheckpointFile file = new(path);
        try
        {
            return Open(file, mayBeIndex);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static ICheckpoint Open(CheckpointFile file, bool mayBeIndex)
    {
        ReadOnlySpan<byte> start = file.ReadBytes(0, Math.Min(file.Length, 512));
        if (start.IsEmpty)
            throw new CheckpointException("The file is empty", file.Path, "Fetch it again");
        if (HasSafetensorsStart(start))
            return new SafetensorsCheckpoint(file);
        if (start.StartsWith("PK\x03\x04"u8) || start.StartsWith("PK\x05\x06"u8))
            return PyTorchZip.Open(file);
        if (start[0] == 0x80 && start.Length > 1 && start[1] <= 5)
            return PyTorchLegacy.Open(file);
        if (mayBeIndex && Path.GetExtension(file.Path) == ".json" && start.TrimStart(" \t\r\n"u8) is [(byte)'{', ..])
            return ShardedCheckpoint.Open(file, shard => Open(shard, mayBeIndex: false));
        if (ForeignFile.Recognize(start) is { } what)
            throw new CheckpointException(what.What, file.Path, what.Remedy);
        // A damaged file that means to be safetensors gets that format's precise error.
        bool meansSafetensors =
            (start.Length > 8 && start[8] == '{')
            || Path.GetExtension(file.Path).Equals(".safetensors", StringComparison.OrdinalIgnoreCase);
        if (meansSafetensors)
            return new SafetensorsCheckpoint(file);
        throw new CheckpointException("This is not a checkpoint", file.Path, "Give a .safetensors file or one written by torch.save");
    }

    // A header below 4 GiB, then a brace: no zip archive or pickle has a 0 in bytes 4 to 7.
    private static bool HasSafetensorsStart(ReadOnlySpan<byte> start) =>
        start.Length > 8 && start[8] == '{' && start[4..8].IndexOfAnyExcept((byte)0) < 0;
}
