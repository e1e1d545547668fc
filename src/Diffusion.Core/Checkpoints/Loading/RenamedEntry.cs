namespace Diffusion.Checkpoints;

/// <summary>A tensor under another name.</summary>
internal sealed class RenamedEntry(string name, TensorEntry entry) : TensorEntry
{
    public override string Name => name;
    public override ScalarType Dtype => entry.Dtype;
    public override IReadOnlyList<long> Shape => entry.Shape;

    public override Tensor Read(ScalarType? dtype = null) => entry.Read(dtype);
}
