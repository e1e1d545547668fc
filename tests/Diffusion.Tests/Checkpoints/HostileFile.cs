using Diffusion.Checkpoints;
using Diffusion.Runtime;

namespace Diffusion.Tests.Checkpoints;

/// <summary>Reading files that must be refused.</summary>
internal static class HostileFile
{
    /// <summary>Opens a file and reads every tensor; it must fail with one clear line that holds <paramref name="word"/>.</summary>
    public static void MustFail(byte[] content, string word, string name = "m.pt")
    {
        using Scratch scratch = new();
        string path = scratch.File(name, content);
        CheckpointException error = Assert.Throws<CheckpointException>(() => ReadEverything(path));
        Assert.Contains(word, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
    }

    public static void ReadEverything(string path)
    {
        using ICheckpoint file = Checkpoint.Open(path);
        foreach (TensorEntry entry in file.Tensors.Values)
            entry.Read().Dispose();
    }
}
