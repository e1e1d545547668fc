using Diffusion.Inverse;

namespace Diffusion.Operators;

/// <summary>The operators that ship.</summary>
public static class ShippedOperators
{
    /// <summary>Their catalogue; <see cref="OperatorCatalog.With"/> adds those of plug-ins.</summary>
    public static OperatorCatalog Catalog { get; } = OperatorCatalog.From(typeof(ShippedOperators).Assembly);
}
