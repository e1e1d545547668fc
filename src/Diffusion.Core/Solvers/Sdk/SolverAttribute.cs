namespace Diffusion.Solvers;

/// <summary>
/// Puts a solver into the catalogue: a public record with a parameterless constructor that implements <see cref="ISolver"/>; its
/// <c>init</c> properties with a <see cref="Diffusion.Settings.SettingAttribute"/> are its settings.
/// </summary>
/// <param name="name">The name in commands: <c>cm4ir</c>.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class SolverAttribute(string name) : Attribute
{
    /// <summary>The name in commands.</summary>
    public string Name { get; } = name;

    /// <summary>One sentence for tables and help.</summary>
    public string About { get; init; } = "";

    /// <summary>The paper.</summary>
    public string? Source { get; init; }

    /// <summary>
    /// A public class with a parameterless constructor that implements <see cref="ISolverPresets"/>; without one, the settings' own
    /// defaults are the only preset.
    /// </summary>
    public Type? Presets { get; init; }
}
