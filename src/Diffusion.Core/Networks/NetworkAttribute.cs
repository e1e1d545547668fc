namespace Diffusion.Networks;

/// <summary>Gives a <see cref="NetworkFamily"/> with a public parameterless constructor the name by which cards and lists call it.</summary>
/// <param name="kind">Lower-case letters, digits and <c>-</c>.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class NetworkAttribute(string kind) : Attribute
{
    /// <summary>The name.</summary>
    public string Kind { get; } = kind;
}
