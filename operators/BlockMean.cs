using Diffusion.Inverse;

namespace Diffusion.Operators;

/// <summary>The mean of each f x f block: A A^T = I / f^2.</summary>
internal sealed class BlockMean(ImageShape input, int factor, Device device) : OrthogonalRowsOperator(1.0 / ((double)factor * factor))
{
    public override ImageShape Input { get; } = input;
    public override MeasurementShape Output { get; } = new(new ImageShape(input.Channels, input.Height / factor, input.Width / factor));
    public override OperatorTraits Traits { get; } =
        new()
        {
            Reduction = factor,
            RowNormSquared = 1.0 / ((double)factor * factor),
            Local = (factor, factor),
            ClosedForm = true,
        };
    public override Device Device { get; } = device;

    public override Tensor Apply(Tensor x) => torch.nn.functional.avg_pool2d(x, factor);

    public override Tensor Adjoint(Tensor y)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor spread = (y * RowNormSquared)
            .reshape(y.shape[0], y.shape[1], y.shape[2], 1, y.shape[3], 1)
            .expand(-1, -1, -1, factor, -1, factor);
        return spread.reshape(Input.Batch(y.shape[0])).MoveToOuterDisposeScope();
    }

    public override Tensor Guess(Tensor y, SolveRequest? request = null) => Enlargement.Bicubic(y, factor, (factor - 1) / 2.0);
}
