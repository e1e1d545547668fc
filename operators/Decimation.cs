using Diffusion.Inverse;

namespace Diffusion.Operators;

/// <summary>One pixel of each f x f block: A A^T = I. After a circular blur, or after a symmetric one where the kept pixel is the block's middle, the pair has a closed form.</summary>
internal sealed class Decimation : SpectralOperator
{
    private readonly int _factor, _phase;
    private readonly Tensor _ones;

    public Decimation(ImageShape input, int factor, int phase, Device device)
    {
        (Input, _factor, _phase, Device) = (input, factor, phase, device);
        Output = new MeasurementShape(new ImageShape(input.Channels, input.Height / factor, input.Width / factor));
        Traits = new OperatorTraits { Downsample = factor, OrthonormalRows = true, Local = (factor, 1), ClosedForm = true };
        _ones = torch.ones(Output.Count, device: device).DetachFromDisposeScope();
        Decomposition = Spectrum.Of(_ones, x => Flat(Apply(x)), c => Adjoint(c.reshape(Output.Batch(c.shape[0]))), y => y.flatten(1));
    }

    public override ImageShape Input { get; }
    public override MeasurementShape Output { get; }
    public override OperatorTraits Traits { get; }
    public override Device Device { get; }
    public override double NormSquared => 1;
    protected override Spectrum Decomposition { get; }

    public override Tensor Apply(Tensor x)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return x.slice(2, _phase, Input.Height, _factor).slice(3, _phase, Input.Width, _factor).contiguous().MoveToOuterDisposeScope();
    }

    public override Tensor Adjoint(Tensor y)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor x = torch.zeros(Input.Batch(y.shape[0]), dtype: y.dtype, device: y.device);
        x.slice(2, _phase, Input.Height, _factor).slice(3, _phase, Input.Width, _factor).copy_(y);
        return x.MoveToOuterDisposeScope();
    }

    public override Tensor Guess(Tensor y) => Enlargement.Bicubic(y, _factor, _phase);

    public override LinearOperator? After(LinearOperator first)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        LinearOperator? pair = first switch
        {
            MirroredTorus { Factor: 1 } blur when 2 * _phase == _factor - 1 => new MirroredTorus(Input, blur.Gains, _factor, blur: true, blur.Traits.Local!.Value.Support, Device),
            CircularTorus { Factor: 1 } blur => new CircularTorus(Input, blur.Transfer * Shift(), _factor, blur: true, _phase, blur.Traits.Local!.Value.Support, Device),
            _ => null,
        };
        if (pair is null) return null;
        first.Dispose();
        Dispose();
        return pair;
    }

    public override void Dispose()
    {
        _ones.Dispose();
        base.Dispose();
    }

    // The phase that brings pixel (p, p) to the origin.
    private Tensor Shift() => CircularTorus.TransferOf(torch.ones([1, 1], dtype: ScalarType.Float64), Input.Height, Input.Width, _phase, _phase);

    private static Tensor Flat(Tensor owned)
    {
        using (owned) return owned.flatten(1).clone();
    }
}
