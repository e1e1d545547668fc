namespace Diffusion.Pipeline;

/// <summary>Names a restoration method, so that users can choose it.</summary>
/// <param name="name">Name in commands: lower case, words joined by hyphens.</param>
/// <param name="about">One sentence: what it does.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class RestorationMethodAttribute(string name, string about) : Attribute
{
    /// <summary>Name in commands.</summary>
    public string Name { get; } = name;

    /// <summary>One sentence.</summary>
    public string About { get; } = about;
}
