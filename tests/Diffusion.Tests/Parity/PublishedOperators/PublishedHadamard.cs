using Diffusion.Inverse;
using Diffusion.Numerics;
using Diffusion.Runtime;

namespace Diffusion.Tests.Parity;

/// <summary>
/// The natural-order Hadamard matrix on each channel's row-major pixels; coefficients in the order of a permutation, channels innermost,
/// the first 1/ratio measured.
/// </summary>
internal sealed class PublishedHadamard : PublishedSvd
{
    private readonly Tensor _order,
        _inverse;

    public PublishedHadamard(ImageShape input, int ratio, Tensor permutation)
        : base(input, torch.ones((long)input.Channels * input.Height * input.Width / ratio))
    {
        _order = permutation;
        _inverse = permutation.argsort();
        Traits = new OperatorTraits { OrthonormalRows = true, ClosedForm = true };
    }

    public override OperatorTraits Traits { get; }

    public override Tensor ToCoefficients(Tensor x) =>
        WalshHadamard.Forward(x).flatten(2).index_select(2, _order).transpose(1, 2).flatten(1);

    public override Tensor FromCoefficients(Tensor c)
    {
        Tensor planes = c.reshape(c.shape[0], -1, Input.Channels).transpose(1, 2).index_select(2, _inverse);
        return WalshHadamard.Inverse(planes.reshape(Input.Batch(c.shape[0])));
    }

    public override Tensor ToMeasured(Tensor y) => y;

    public override Tensor FromMeasured(Tensor c) => c;
}
