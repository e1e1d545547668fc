using Diffusion.Inverse;
using Diffusion.Settings;

namespace SamplePlugin;

/// <summary>
/// A plug-in that is one class: a lens that darkens the corners. The parameters of its constructor are its keys:
/// <c>vignette:strength=0.5</c>.
/// </summary>
/// <param name="input">The picture.</param>
/// <param name="strength">How dark the corners are.</param>
[Operator("vignette", About = "A lens that darkens the corners")]
public sealed class Vignette(ImageShape input, [Setting(Min = 0, Max = 1)] double strength = 0.5) : LinearOperator
{
    /// <inheritdoc/>
    public override ImageShape Input { get; } = input;

    /// <inheritdoc/>
    public override MeasurementShape Output { get; } = new(input);

    /// <inheritdoc/>
    public override Tensor Apply(Tensor x)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor rows = torch.linspace(-1, 1, Input.Height).unsqueeze(1),
            columns = torch.linspace(-1, 1, Input.Width);
        return (x * (1 - strength / 2 * (rows.square() + columns.square()))).MoveToOuterDisposeScope();
    }
}
