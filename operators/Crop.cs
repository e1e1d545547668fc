using Diffusion.Inverse;
using Diffusion.Runtime;
using Diffusion.Settings;

namespace Diffusion.Operators;

/// <summary>A rectangle of the picture: outpainting. A A^T = I.</summary>
[Operator(
    "crop",
    About = "Keeps a rectangle: outpainting, and the remedy where sizes don't divide",
    Examples = "crop:box=64x64+32+32\ncrop:center"
)]
public sealed record Crop : OperatorSpec
{
    /// <summary>The rectangle that is kept: WxH+X+Y, WxH or <c>center</c>.</summary>
    [Setting]
    public Region Box { get; init; } = Region.Center;

    /// <inheritdoc/>
    protected override LinearOperator Create(ImageShape input, Device device)
    {
        (int x, int y, int width, int height) = Box.In(input);
        if (x < 0 || y < 0 || x + (long)width > input.Width || y + (long)height > input.Height)
            throw Error(
                $"The box {Box} reaches beyond the picture of {input.Width}x{input.Height} pixels (width x height)",
                "Boxes are WIDTHxHEIGHT+X+Y"
            );
        return new Window(input, x, y, width, height, device);
    }

    private sealed class Window(ImageShape input, int left, int top, int width, int height, Device device) : OrthogonalRowsOperator
    {
        public override ImageShape Input { get; } = input;
        public override MeasurementShape Output { get; } = new(new ImageShape(input.Channels, height, width));
        public override OperatorTraits Traits { get; } = new() { OrthonormalRows = true, ClosedForm = true };
        public override Device Device { get; } = device;

        public override Tensor Apply(Tensor x)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            return x.narrow(2, top, height).narrow(3, left, width).contiguous().MoveToOuterDisposeScope();
        }

        public override Tensor Adjoint(Tensor y) => torch.nn.functional.pad(y, Around, PaddingModes.Constant, 0);

        /// <summary>The edge pixels continued.</summary>
        public override Tensor Guess(Tensor y, SolveRequest? request = null) => torch.nn.functional.pad(y, Around, PaddingModes.Replicate);

        private long[] Around => [left, Input.Width - left - width, top, Input.Height - top - height];
    }
}
