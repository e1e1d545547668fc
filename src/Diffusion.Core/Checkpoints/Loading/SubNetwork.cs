using Diffusion.Runtime;

namespace Diffusion.Checkpoints;

/// <summary>One of several networks in a file, for example those of a Lightning checkpoint.</summary>
public static class SubNetwork
{
    private const string Model = "model.",
        Average = "model_ema.";

    /// <summary>The tensors below a prefix, without it, with the averaged (EMA) values where the file has them.</summary>
    /// <remarks>
    /// The published code of latent diffusion keeps the averages of <c>model.a.b.weight</c> as <c>model_ema.abweight</c>: all dots behind
    /// the first are dropped.
    /// </remarks>
    /// <param name="file">The file; borrowed, and must outlive the result.</param>
    /// <param name="prefix">
    /// For example <c>model.diffusion_model.</c> or <c>first_stage_model.</c>; <c>state_dict.</c> may precede it.
    /// </param>
    /// <param name="averaged">Whether averages are taken where there are some.</param>
    /// <exception cref="CheckpointException">There is no such network, or it has averages of some of its weights only.</exception>
    public static ICheckpoint In(ICheckpoint file, string prefix, bool averaged = true)
    {
        string root = file.Tensors.Keys.Any(name => name.StartsWith(prefix, StringComparison.Ordinal)) ? "" : "state_dict.";
        string start = root + prefix;
        Dictionary<string, TensorEntry> tensors = file
            .Tensors.Where(pair => pair.Key.StartsWith(start, StringComparison.Ordinal))
            .ToDictionary(pair => pair.Key[start.Length..], pair => pair.Value);
        if (tensors.Count == 0)
            throw new CheckpointException($"The file holds no network below {prefix}", file.Path, "Give the file that does");
        if (!averaged || !prefix.StartsWith(Model, StringComparison.Ordinal))
            return new TensorTable(file, tensors);
        Dictionary<string, TensorEntry> averages = [];
        foreach (string name in tensors.Keys)
            if (file.Tensors.TryGetValue(root + Average + (prefix + name)[Model.Length..].Replace(".", ""), out TensorEntry? average))
                averages.Add(name, average);
        if (averages.Count > 0 && averages.Count < tensors.Count)
            throw new CheckpointException(
                $"The file has averages (EMA) of {averages.Count} of the {tensors.Count} weights below {prefix}",
                file.Path,
                "It is damaged; fetch it again, or take the raw weights"
            );
        return new TensorTable(file, averages.Count > 0 ? averages : tensors);
    }
}
