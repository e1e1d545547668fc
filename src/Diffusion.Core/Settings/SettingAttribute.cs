namespace Diffusion.Settings;

/// <summary>
/// Makes a property (of a solver's or an operator's record) or a constructor's parameter (of an operator's class) a setting: what its type,
/// default and XML docs cannot say. The sentence of help is the <c>summary</c> of the property or the <c>param</c> of the parameter.
/// </summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter)]
public sealed class SettingAttribute : Attribute
{
    /// <summary>The paper's symbol, also accepted as a name.</summary>
    public string? Symbol { get; init; }

    /// <summary>Smallest allowed value.</summary>
    public double Min { get; init; } = double.NegativeInfinity;

    /// <summary>Largest allowed value.</summary>
    public double Max { get; init; } = double.PositiveInfinity;

    /// <summary>Unit: pixels, degrees, levels.</summary>
    public string? Unit { get; init; }

    /// <summary>Allowed values of a string, separated by <c>|</c>.</summary>
    public string? Choices { get; init; }

    /// <summary>Further names that are accepted, separated by <c>|</c>: what it was called before.</summary>
    public string? Aliases { get; init; }
}
