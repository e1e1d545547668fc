using Diffusion.Checkpoints;
using Diffusion.Runtime;

namespace Diffusion.Models;

/// <summary>Converts weight files.</summary>
public static class CheckpointConverter
{
    /// <summary>Writes any readable checkpoint as safetensors, one tensor in memory at a time.</summary>
    /// <param name="path">Source.</param>
    /// <param name="output">The new file; never the source.</param>
    /// <param name="dtype">Converts floating-point tensors; null keeps each one's dtype.</param>
    /// <param name="everything">
    /// Keeps all tensors under their full names. Otherwise only the network's weights are kept, under their published names, where the
    /// network is recognised.
    /// </param>
    /// <param name="overwrite">Whether an existing file is replaced.</param>
    /// <exception cref="CheckpointException">The source is damaged, or the output cannot be written.</exception>
    /// <exception cref="ArgumentException">Source and output are the same file, or the dtype is no floating-point type.</exception>
    public static ConversionReport ToSafetensors(
        string path,
        string output,
        ScalarType? dtype = null,
        bool everything = false,
        bool overwrite = false
    )
    {
        if (Path.GetFullPath(path) == Path.GetFullPath(output))
            throw new ArgumentException($"The output {output} is the input. Give another name.");
        if (dtype is { } wanted && !Dtypes.IsFloat(wanted))
            throw new ArgumentException($"Weights cannot be converted to {wanted}. Use fp32, bf16 or fp16.");
        using ICheckpoint source = Checkpoint.Open(path);
        CheckpointIdentity? identity = CheckpointCatalog.Default.Identify(source);
        CheckpointView kept = new(source, everything ? "" : identity?.Prefix ?? "");
        Dictionary<string, string> metadata = new(source.Metadata) { ["format"] = "pt" };
        if (identity?.Entry is { } entry)
            metadata[CheckpointCatalog.MetadataKey] = entry.Name;
        if (identity is { Own: true, Card: { } card })
            metadata[CheckpointCatalog.CardKey] = card.ToJsonString();
        SafetensorsWriter.Write(
            output,
            kept.Tensors.Select(TensorEntry (pair) => new RenamedEntry(pair.Key, pair.Value)),
            metadata,
            dtype,
            overwrite
        );
        return new ConversionReport(kept.Tensors.Count, source.Tensors.Count - kept.Tensors.Count, new FileInfo(output).Length);
    }
}
