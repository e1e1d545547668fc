namespace Diffusion.Models;

/// <summary>Facts about a checkpoint.</summary>
/// <param name="Path">The file.</param>
/// <param name="Format"><c>safetensors</c>, <c>pytorch-zip</c> or <c>pytorch-legacy</c>.</param>
/// <param name="Bytes">Size of the file.</param>
/// <param name="Tensors">Number of tensors.</param>
/// <param name="Elements">Numbers in all tensors together.</param>
/// <param name="Dtypes">Tensors of each dtype.</param>
/// <param name="Metadata">Text metadata.</param>
/// <param name="Identity">The network; null when it is of no known family.</param>
public sealed record CheckpointSummary(
    string Path,
    string Format,
    long Bytes,
    int Tensors,
    long Elements,
    IReadOnlyDictionary<string, int> Dtypes,
    IReadOnlyDictionary<string, string> Metadata,
    CheckpointIdentity? Identity
);
