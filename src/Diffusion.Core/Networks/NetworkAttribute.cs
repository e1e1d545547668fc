namespace Diffusion.Networks;

/// <summary>Names a <see cref="NetworkFamily"/> that has a public parameterless constructor, for cards and lists.</summary>
/// <param name="kind">Lower-case letters, digits and <c>-</c>.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class NetworkAttribute(string kind) : Attribute
{
    /// <summary>The name.</summary>
    public string Kind { get; } = kind;
}
