using Diffusion.Runtime;

namespace Diffusion.Checkpoints;

/// <summary>Fills a network's parameters from a checkpoint.</summary>
public static class StateDictLoader
{
    /// <summary>Loads strictly: every parameter must be there with its shape, and nothing else may be.</summary>
    /// <param name="parameters">The network's parameters; each is assigned in turn, so that a 2 GB file needs no second 2 GB.</param>
    /// <param name="checkpoint">Where the weights are; borrowed.</param>
    /// <param name="dtype">Dtype of parameters that need not stay float32.</param>
    /// <param name="device">Where the weights go; null is the CPU.</param>
    /// <exception cref="CheckpointException">Names or shapes differ.</exception>
    public static void Load(IReadOnlyList<Parameter> parameters, ICheckpoint checkpoint, ScalarType dtype = ScalarType.Float32, Device? device = null)
    {
        string[] missing = [.. parameters.Select(p => p.Name).Where(name => !checkpoint.Tensors.ContainsKey(name))];
        string[] extra = [.. checkpoint.Tensors.Keys.Except(parameters.Select(p => p.Name))];
        if (missing.Length + extra.Length > 0)
            throw new CheckpointException($"The checkpoint does not fit the network: {missing.Length} missing ({string.Join(", ", missing.Take(5))}), {extra.Length} extra ({string.Join(", ", extra.Take(5))})", checkpoint.Path);
        foreach (Parameter parameter in parameters)
        {
            TensorEntry entry = checkpoint.Tensors[parameter.Name];
            using Tensor read = entry.Read(parameter.KeepFloat32 ? ScalarType.Float32 : dtype);
            using Tensor placed = device is null ? read.alias() : read.to(device);
            if (entry.Shape.Aggregate(1L, (a, b) => a * b) != parameter.Shape.Aggregate(1L, (a, b) => a * b))
                throw new CheckpointException($"{parameter.Name} is [{string.Join(",", entry.Shape)}] in the checkpoint, the network needs [{string.Join(",", parameter.Shape)}]", checkpoint.Path);
            parameter.Value = placed.reshape(parameter.Shape);
        }
    }
}
