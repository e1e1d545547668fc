using Diffusion.Checkpoints;
using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Models;

/// <summary>Looks into weight files.</summary>
public static class CheckpointInspector
{
    /// <summary>Summarises a checkpoint without reading its tensors.</summary>
    /// <param name="path">The file.</param>
    /// <param name="families">The networks that are known; null: those that ship.</param>
    /// <exception cref="CheckpointException">The file cannot be read as a checkpoint.</exception>
    public static CheckpointSummary Inspect(string path, NetworkCatalog? families = null)
    {
        using ICheckpoint checkpoint = Checkpoint.Open(path);
        return new CheckpointSummary(
            path,
            checkpoint.Format,
            new FileInfo(path).Length,
            checkpoint.Tensors.Count,
            checkpoint.Tensors.Values.Sum(entry => TensorLayout.ElementCount([.. entry.Shape]) ?? 0),
            checkpoint
                .Tensors.Values.GroupBy(entry => DtypeName(entry.Dtype))
                .OrderBy(group => group.Key, StringComparer.Ordinal)
                .ToDictionary(group => group.Key, group => group.Count()),
            checkpoint.Metadata,
            CheckpointCatalog.Default.Identify(checkpoint, families)
        );
    }

    /// <summary>Reads every tensor, which checks lengths and checksums, and looks for NaN and infinity.</summary>
    /// <param name="path">The file.</param>
    /// <param name="progress">Told the share that is done, 0 to 1.</param>
    /// <param name="cancellation">Checked before each tensor.</param>
    /// <returns>Names of tensors with NaN or infinity.</returns>
    /// <exception cref="CheckpointException">The file is damaged.</exception>
    public static IReadOnlyList<string> Verify(string path, Action<double>? progress = null, CancellationToken cancellation = default)
    {
        using ICheckpoint checkpoint = Checkpoint.Open(path);
        using ComputeScope scope = new();
        List<string> bad = [];
        int done = 0;
        foreach (TensorEntry entry in checkpoint.Tensors.Values)
        {
            cancellation.ThrowIfCancellationRequested();
            using Tensor values = entry.Read();
            using Tensor? finite = Dtypes.IsFloat(entry.Dtype) ? values.isfinite().all() : null;
            if (finite is not null && !finite.item<bool>())
                bad.Add(entry.Name);
            progress?.Invoke(++done / (double)checkpoint.Tensors.Count);
        }
        return bad;
    }

    /// <summary>The usual name of a dtype, for example <c>bfloat16</c>.</summary>
    public static string DtypeName(ScalarType dtype) => Dtypes.Name(dtype);
}
