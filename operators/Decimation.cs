using Diffusion.Inverse;

namespace Diffusion.Operators;

/// <summary>
/// One pixel of each f x f block: A A^T = I. After a circular blur, or after a symmetric one where the kept pixel is the block's middle,
/// the pair has a closed form.
/// </summary>
internal sealed class Decimation(ImageShape input, int factor, int phase, Device device) : OrthogonalRowsOperator
{
    public override ImageShape Input { get; } = input;
    public override MeasurementShape Output { get; } = new(new ImageShape(input.Channels, input.Height / factor, input.Width / factor));
    public override OperatorTraits Traits { get; } =
        new()
        {
            Reduction = factor,
            OrthonormalRows = true,
            Local = (factor, 1),
            ClosedForm = true,
        };
    public override Device Device { get; } = device;

    public override Tensor Apply(Tensor x)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return Kept(x).contiguous().MoveToOuterDisposeScope();
    }

    public override Tensor Adjoint(Tensor y)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor x = torch.zeros(Input.Batch(y.shape[0]), dtype: y.dtype, device: y.device);
        Kept(x).copy_(y);
        return x.MoveToOuterDisposeScope();
    }

    public override Tensor Guess(Tensor y, SolveRequest? request = null) => Enlargement.Bicubic(y, factor, phase);

    public override LinearOperator? After(LinearOperator first)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        LinearOperator? pair = first switch
        {
            MirroredConvolution { Factor: 1 } blur when 2 * phase == factor - 1 => new MirroredConvolution(
                Input,
                blur.Gains,
                factor,
                blur: true,
                blur.Traits.Local!.Value.Support,
                Device
            ),
            CircularConvolution { Factor: 1 } blur => new CircularConvolution(
                Input,
                blur.Transfer * Shift(),
                factor,
                blur: true,
                phase,
                blur.Traits.Local!.Value.Support,
                Device
            ),
            _ => null,
        };
        if (pair is null)
            return null;
        first.Dispose();
        Dispose();
        return pair;
    }

    private Tensor Kept(Tensor x) => x.slice(2, phase, Input.Height, factor).slice(3, phase, Input.Width, factor);

    // The phase that brings pixel (p, p) to the origin: an impulse at -p.
    private Tensor Shift() =>
        CircularConvolution.TransferOf(torch.ones([1, 1], dtype: ScalarType.Float64), Input.Height, Input.Width, phase, phase);
}
