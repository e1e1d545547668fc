namespace Diffusion.Solvers;

/// <summary>
/// A setting that a solver had once: old commands and bench files that name it are still read where it asked for what the solver does
/// anyway.
/// </summary>
/// <param name="names">Its names, separated by <c>|</c>.</param>
/// <param name="value">The value that the solver now always has; null where the setting never had an effect.</param>
/// <param name="remedy">Where another value went, for the error.</param>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
public sealed class FormerSettingAttribute(string names, string? value = null, string? remedy = null) : Attribute
{
    /// <summary>Its names, separated by <c>|</c>.</summary>
    public string Names { get; } = names;

    /// <summary>The value that the solver now always has; null where the setting never had an effect.</summary>
    public string? Value { get; } = value;

    /// <summary>Where another value went.</summary>
    public string? Remedy { get; } = remedy;
}
