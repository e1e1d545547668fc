using Diffusion.Checkpoints;

namespace Diffusion.Training;

/// <summary>
/// All parameters of a network as one flat array: first those that stay float32, then those computed in the network's dtype.
/// </summary>
public sealed class ParameterLayout
{
    /// <summary>Places the parameters of a network.</summary>
    public ParameterLayout(IReadOnlyList<Parameter> parameters)
    {
        Slots = new Slot[parameters.Count];
        long at = 0;
        foreach (bool wanted in new[] { true, false })
        {
            for (int i = 0; i < parameters.Count; i++)
            {
                if (parameters[i].KeepFloat32 != wanted)
                    continue;
                Slots[i] = new Slot(parameters[i].Name, parameters[i].Shape, at, parameters[i].Shape.Aggregate(1L, (a, b) => a * b));
                at += Slots[i].Length;
            }
            if (wanted)
                FloatLength = at;
        }
        Length = at;
        _floatIndices = Indices(parameters, true);
        _lowIndices = Indices(parameters, false);
    }

    private readonly int[] _floatIndices,
        _lowIndices;

    /// <summary>Where one parameter lies.</summary>
    public readonly record struct Slot(string Name, long[] Shape, long Offset, long Length);

    /// <summary>One slot per parameter, in the network's order.</summary>
    public Slot[] Slots { get; }

    /// <summary>Length of the part that stays float32.</summary>
    public long FloatLength { get; }

    /// <summary>Length of the whole.</summary>
    public long Length { get; }

    /// <summary>Lets a network's parameters be views of flat leaves, so that their gradient arrives as one flat tensor each.</summary>
    /// <param name="parameters">The network's parameters.</param>
    /// <param name="floats">[FloatLength] float32.</param>
    /// <param name="low">[Length - FloatLength] in the network's dtype.</param>
    public void Bind(IReadOnlyList<Parameter> parameters, Tensor floats, Tensor low)
    {
        Bind(parameters, floats, _floatIndices);
        Bind(parameters, low, _lowIndices);
    }

    private void Bind(IReadOnlyList<Parameter> parameters, Tensor flat, int[] indices)
    {
        if (indices.Length == 0)
            return;
        // The backward of split is one concatenation; a narrow for each parameter would make a zero tensor of the full length each.
        Tensor[] pieces = flat.split([.. indices.Select(i => Slots[i].Length)]);
        for (int k = 0; k < indices.Length; k++)
            parameters[indices[k]].Value = pieces[k].view(Slots[indices[k]].Shape);
    }

    private static int[] Indices(IReadOnlyList<Parameter> parameters, bool keepFloat32) =>
        [.. Enumerable.Range(0, parameters.Count).Where(i => parameters[i].KeepFloat32 == keepFloat32)];
}
