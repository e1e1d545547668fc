using Diffusion.Inverse;

namespace Diffusion.Operators;

/// <summary>The mean of each f x f block: A A^T = I / f^2.</summary>
internal sealed class BlockMean : SpectralOperator
{
    private readonly int _factor;
    private readonly Tensor _singulars;

    public BlockMean(ImageShape input, int factor, Device device)
    {
        (Input, _factor, Device) = (input, factor, device);
        Output = new MeasurementShape(new ImageShape(input.Channels, input.Height / factor, input.Width / factor));
        Traits = new OperatorTraits { Downsample = factor, RowNormSquared = 1.0 / ((double)factor * factor), Local = (factor, factor), ClosedForm = true };
        _singulars = torch.full([Output.Count], 1.0f / factor, device: device).DetachFromDisposeScope();
        Decomposition = Spectrum.Of(_singulars, x => Scaled(Apply(x), factor).flatten(1), c => Scaled(Adjoint(c.reshape(Output.Batch(c.shape[0]))), factor), y => y.flatten(1));
    }

    public override ImageShape Input { get; }
    public override MeasurementShape Output { get; }
    public override OperatorTraits Traits { get; }
    public override Device Device { get; }
    public override double NormSquared => 1.0 / ((double)_factor * _factor);
    protected override Spectrum Decomposition { get; }

    public override Tensor Apply(Tensor x) => torch.nn.functional.avg_pool2d(x, _factor);

    public override Tensor Adjoint(Tensor y)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor spread = y.reshape(y.shape[0], y.shape[1], y.shape[2], 1, y.shape[3], 1).expand(-1, -1, -1, _factor, -1, _factor);
        return (spread.reshape(Input.Batch(y.shape[0])) / ((double)_factor * _factor)).MoveToOuterDisposeScope();
    }

    public override Tensor Guess(Tensor y) => Enlargement.Bicubic(y, _factor, (_factor - 1) / 2.0);

    public override void Dispose()
    {
        _singulars.Dispose();
        base.Dispose();
    }

    private static Tensor Scaled(Tensor owned, double factor) => owned.mul_(factor);
}
