using Diffusion.Inverse;
using Diffusion.Operators;

namespace Diffusion.Restoration;

/// <summary>A mask from a file that is brought to the picture's size: nearest pixels, so that it stays zeros and ones.</summary>
public sealed record ResizedMask : OperatorSpec
{
    /// <summary>The mask; its file may be of any size.</summary>
    public Mask Mask { get; init; } = new();

    /// <inheritdoc/>
    public override string Name => Mask.ToString();

    /// <summary>The same spec with every mask file allowed to be of another size.</summary>
    public static OperatorSpec Allow(OperatorSpec spec) =>
        spec switch
        {
            Mask { File: not null } mask => new ResizedMask { Mask = mask },
            ComposedSpec composed => ComposedSpec.Of(composed.Parts.Select(Allow)),
            _ => spec,
        };

    /// <inheritdoc/>
    public override IReadOnlyList<string> Notes() => Mask.Notes();

    /// <inheritdoc/>
    protected override LinearOperator Create(ImageShape input, Device device)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor known = Mask.ReadFile().unsqueeze(0).unsqueeze(0);
        return Mask.Of(
            input,
            torch.nn.functional.interpolate(known, [input.Height, input.Width], mode: torch.InterpolationMode.Nearest)[0, 0].to(device)
        );
    }
}
