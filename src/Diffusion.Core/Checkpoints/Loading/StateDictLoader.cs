using Diffusion.Runtime;

namespace Diffusion.Checkpoints;

/// <summary>Fills a network's parameters from a checkpoint, strictly.</summary>
public static class StateDictLoader
{
    /// <summary>Loads: every parameter must be there with its shape, and nothing else may be where they lie.</summary>
    /// <param name="parameters">
    /// The network's parameters; each is read and assigned in turn, so that a 2 GB file needs no second 2 GB.
    /// </param>
    /// <param name="checkpoint">
    /// Where the weights are; borrowed. Prefixes such as <c>state_dict.model.</c> are found; averaged (EMA) weights are preferred to raw
    /// ones.
    /// </param>
    /// <param name="dtype">Dtype of parameters that need not stay float32.</param>
    /// <param name="device">Where the weights go; null is the CPU.</param>
    /// <param name="remedy">Asked what to do where they do not fit; null, or an answer of null: another file is asked for.</param>
    /// <returns>What was loaded, with notes for the user.</returns>
    /// <exception cref="CheckpointException">Names or shapes differ, a weight is NaN or infinite, or the file is damaged.</exception>
    public static LoadReport Load(
        IReadOnlyList<Parameter> parameters,
        ICheckpoint checkpoint,
        ScalarType dtype = ScalarType.Float32,
        Device? device = null,
        Func<string?>? remedy = null
    )
    {
        LoadReport report = Compare(parameters, checkpoint);
        if (!report.Fits)
            throw new CheckpointException(
                $"The weights do not fit the network: {report.Summary}",
                checkpoint.Path,
                remedy?.Invoke() ?? "Give the file that belongs to this network"
            );
        foreach (Parameter parameter in parameters)
            parameter.Value = ReadFinite(
                checkpoint.Tensors[report.Prefix + parameter.Name],
                parameter,
                parameter.KeepFloat32 ? ScalarType.Float32 : dtype,
                device,
                checkpoint.Path
            );
        return report;
    }

    /// <summary>Compares names and shapes without reading a tensor.</summary>
    /// <param name="parameters">The network's parameters.</param>
    /// <param name="checkpoint">The file.</param>
    public static LoadReport Compare(IReadOnlyList<Parameter> parameters, ICheckpoint checkpoint)
    {
        List<string> notes = [];
        string prefix = ChoosePrefix(parameters, checkpoint, notes);
        HashSet<string> names = [.. parameters.Select(parameter => parameter.Name)];
        List<string> missing = [],
            extra = [];
        List<ShapeDifference> shapes = [];
        foreach (Parameter parameter in parameters)
        {
            if (!checkpoint.Tensors.TryGetValue(prefix + parameter.Name, out TensorEntry? entry))
                missing.Add(parameter.Name);
            else if (!SameShape(entry.Shape, parameter.Shape))
                shapes.Add(new ShapeDifference(parameter.Name, entry.Shape, parameter.Shape));
        }
        int ignored = 0;
        foreach (string name in checkpoint.Tensors.Keys)
        {
            if (!name.StartsWith(prefix, StringComparison.Ordinal))
                ignored++;
            else if (!names.Contains(name[prefix.Length..]) && !IsCounter(name))
                extra.Add(name[prefix.Length..]);
        }
        return new LoadReport(
            prefix,
            parameters.Count - missing.Count - shapes.Count,
            missing,
            [.. extra.Select(name => (name, NearestParameter.Find(name, missing)))],
            shapes,
            ignored,
            notes
        );
    }

    private static string ChoosePrefix(IReadOnlyList<Parameter> parameters, ICheckpoint checkpoint, List<string> notes)
    {
        if (parameters.Count == 0)
            return "";
        string[] landmarks =
        [
            .. new[] { parameters[0], parameters[parameters.Count / 2], parameters[^1] }.Select(parameter => parameter.Name).Distinct(),
        ];
        (string Prefix, int Found)[] candidates =
        [
            .. WeightPrefix
                .Candidates(checkpoint.Tensors.Keys, landmarks)
                .Select(prefix => (prefix, parameters.Count(parameter => checkpoint.Tensors.ContainsKey(prefix + parameter.Name)))),
        ];
        if (candidates.Length == 0)
            return "";
        int most = candidates.Max(candidate => candidate.Found);
        string[] best = [.. candidates.Where(candidate => candidate.Found == most).Select(candidate => candidate.Prefix)];
        string chosen = best.FirstOrDefault(WeightPrefix.IsAverage) ?? best.MinBy(prefix => prefix.Length)!;
        string averaged = WeightPrefix.IsAverage(chosen) ? ", the averaged (EMA) weights" : "";
        if (best.Length > 1)
            notes.Add(
                $"The file holds the network {best.Length} times ({string.Join(", ", best.Select(Label))}); {Label(chosen)} is "
                    + $"used{averaged}"
            );
        return chosen;
    }

    private static string Label(string prefix) => prefix.Length == 0 ? "the top level" : Printable.Shorten(prefix.TrimEnd('.'));

    private static Tensor ReadFinite(TensorEntry entry, Parameter parameter, ScalarType dtype, Device? device, string path)
    {
        using ComputeScope scope = new();
        Tensor read = entry.Read(dtype);
        bool finite = FiniteValues.All(read);
        string converted = entry.Dtype == dtype ? "" : $" as {Dtypes.Name(dtype)}";
        if (!finite)
            throw new CheckpointException(
                $"Weight {parameter.Name} holds NaN or infinity{converted}",
                path,
                dtype == ScalarType.Float16 && entry.Dtype != dtype
                    ? "It is too large for fp16; use --dtype bf16"
                    : "The file is damaged, or its training diverged; use another one"
            );
        return scope.Return(read.reshape(parameter.Shape).to(device ?? torch.CPU));
    }

    // How many batches a batch normalisation saw in training is no weight.
    private static bool IsCounter(string name) => name.EndsWith(".num_batches_tracked", StringComparison.Ordinal);

    // 1x1 convolutions of attention layers are stored with one, two or no kernel dimensions.
    private static bool SameShape(IReadOnlyList<long> stored, IReadOnlyList<long> needed) =>
        stored.SequenceEqual(needed)
        || (stored.Count >= 2 && needed.Count >= 2 && WithoutKernel(stored).SequenceEqual(WithoutKernel(needed)));

    private static IEnumerable<long> WithoutKernel(IReadOnlyList<long> shape)
    {
        int count = shape.Count;
        while (count > 2 && shape[count - 1] == 1)
            count--;
        return shape.Take(count);
    }
}
