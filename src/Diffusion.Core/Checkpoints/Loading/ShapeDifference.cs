namespace Diffusion.Checkpoints;

/// <summary>A tensor whose shape is not the parameter's.</summary>
/// <param name="Name">Parameter.</param>
/// <param name="InFile">Shape in the file.</param>
/// <param name="Needed">Shape of the parameter.</param>
public sealed record ShapeDifference(string Name, IReadOnlyList<long> InFile, IReadOnlyList<long> Needed)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Name} is [{string.Join(",", InFile)}], needed is [{string.Join(",", Needed)}]";
}
