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
            return new SafetensorsCheckpoint(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }
}
