namespace Diffusion.Checkpoints;

/// <summary>A file of named tensors, opened for reading. Nothing in it is ever executed; tensors are read when asked for.</summary>
public interface ICheckpoint : IDisposable
{
    /// <summary>The file.</summary>
    string Path { get; }

    /// <summary><c>safetensors</c>, <c>pytorch-zip</c> or <c>pytorch-legacy</c>.</summary>
    string Format { get; }

    /// <summary>The tensors by full name; entries of nested dictionaries are joined by dots (<c>state_dict.conv.weight</c>).</summary>
    IReadOnlyDictionary<string, TensorEntry> Tensors { get; }

    /// <summary>Text metadata; empty when there is none.</summary>
    IReadOnlyDictionary<string, string> Metadata { get; }
}

/// <summary>One tensor of a file.</summary>
public abstract class TensorEntry
{
    /// <summary>Full name in the file.</summary>
    public abstract string Name { get; }

    /// <summary>Dtype in the file.</summary>
    public abstract ScalarType Dtype { get; }

    /// <summary>Shape.</summary>
    public abstract IReadOnlyList<long> Shape { get; }

    /// <summary>Reads the values.</summary>
    /// <param name="dtype">Dtype of the result; null keeps the file's.</param>
    /// <returns>A contiguous CPU tensor [<see cref="Shape"/>]; the caller owns it.</returns>
    public abstract Tensor Read(ScalarType? dtype = null);
}
