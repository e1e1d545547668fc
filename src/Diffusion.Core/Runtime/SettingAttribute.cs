using Diffusion.Native;

namespace Diffusion.Runtime;

/// <summary>What XML docs cannot carry about a setting of a solver or a parameter of an operator.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter)]
public sealed class SettingAttribute : Attribute
{
    /// <summary>The paper's symbol.</summary>
    public string? Symbol { get; init; }

    /// <summary>Smallest allowed value.</summary>
    public double Min { get; init; } = double.NegativeInfinity;

    /// <summary>Largest allowed value.</summary>
    public double Max { get; init; } = double.PositiveInfinity;

    /// <summary>Unit: pixels, degrees, levels.</summary>
    public string? Unit { get; init; }

    /// <summary>One sentence for tables and help.</summary>
    public string? About { get; init; }

    /// <summary>Allowed values of a string, separated by <c>|</c>.</summary>
    public string? Choices { get; init; }
}
