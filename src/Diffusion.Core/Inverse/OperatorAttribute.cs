namespace Diffusion.Inverse;

/// <summary>
/// Gives an operator its name in specs. On a record deriving <see cref="OperatorSpec"/>, whose <c>[Setting]</c> properties are its keys, or
/// on a <see cref="LinearOperator"/>
/// with one public constructor <c>(ImageShape input, double strength = 2, ...)</c>, whose further parameters are its keys.
/// </summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class OperatorAttribute(string name) : Attribute
{
    /// <summary>Lower-case letters, digits, <c>-</c> and <c>_</c>.</summary>
    public string Name { get; } = name;

    /// <summary>One sentence for lists and help.</summary>
    public string? About { get; init; }

    /// <summary>Specs that run as they stand, for help; separated by line breaks.</summary>
    public string? Examples { get; init; }
}
