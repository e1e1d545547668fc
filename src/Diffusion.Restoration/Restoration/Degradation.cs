using System.Diagnostics.CodeAnalysis;
using Diffusion.Inverse;
using Diffusion.Runtime;

namespace Diffusion.Restoration;

/// <summary>How measurements were made: an operator's spec, or its text, which is read once where the catalogue is known.</summary>
/// <example><code>
/// RestoreOptions byText = new() { Operator = "downsample:factor=4" },
///     bySpec = new() { Operator = new Downsample { Factor = 4 } };
/// </code></example>
public sealed record Degradation
{
    private readonly string? _text;
    private readonly OperatorSpec? _spec;

    private Degradation(string? text, OperatorSpec? spec) => (_text, _spec) = (text, spec);

    /// <summary>A degradation by its text.</summary>
    [return: NotNullIfNotNull(nameof(text))]
    public static implicit operator Degradation?(string? text) => text is null ? null : new(text, null);

    /// <summary>A degradation by its spec.</summary>
    [return: NotNullIfNotNull(nameof(spec))]
    public static implicit operator Degradation?(OperatorSpec? spec) => spec is null ? null : new(null, spec);

    /// <summary>The spec.</summary>
    /// <param name="catalog">Where names are looked up.</param>
    /// <exception cref="OperatorSpecException">The text is no spec of this catalogue.</exception>
    public OperatorSpec Read(OperatorCatalog catalog) => _spec ?? catalog.Parse(_text!);

    /// <summary>The spec's text.</summary>
    public override string ToString() => _spec?.ToString() ?? _text!;
}
