using Diffusion.Inverse;

namespace Diffusion.Tests.Parity;

/// <summary>
/// The mean of f x f blocks, y planar. Layout: the leading coefficient of every (channel, block), then the f^2 - 1 others of each.
/// </summary>
internal sealed class PublishedPooling : PublishedSvd
{
    private readonly Tensor _v;
    private readonly float _u;
    private readonly int _factor;

    public PublishedPooling(ImageShape input, int factor, Tensor? u, Tensor? v)
        : base(input, torch.full([input.Count / (factor * factor)], 1f / factor))
    {
        _factor = factor;
        _v = v ?? Complete(torch.full([(long)factor * factor], 1f / factor));
        _u = u?.item<float>() ?? 1;
        Traits = new OperatorTraits
        {
            Reduction = factor,
            Local = (factor, factor),
            ClosedForm = true,
        };
    }

    public override OperatorTraits Traits { get; }

    public override Tensor ToCoefficients(Tensor x)
    {
        (long n, long c, long h, long w) = (x.shape[0], Input.Channels, Input.Height / _factor, Input.Width / _factor);
        Tensor patches = x.reshape(n, c, h, _factor, w, _factor)
            .permute(0, 1, 2, 4, 3, 5)
            .reshape(n, c * h * w, _factor * _factor)
            .matmul(_v);
        return torch.cat([patches.narrow(2, 0, 1).flatten(1), patches.narrow(2, 1, _factor * _factor - 1).flatten(1)], 1);
    }

    public override Tensor FromCoefficients(Tensor c)
    {
        (long n, long h, long w) = (c.shape[0], Input.Height / _factor, Input.Width / _factor);
        long blocks = Input.Channels * h * w,
            rest = _factor * _factor - 1;
        Tensor patches = torch
            .cat([c.narrow(1, 0, blocks).reshape(n, blocks, 1), c.narrow(1, blocks, blocks * rest).reshape(n, blocks, rest)], 2)
            .matmul(_v.t());
        return patches.reshape(n, Input.Channels, h, w, _factor, _factor).permute(0, 1, 2, 4, 3, 5).reshape(Input.Batch(n));
    }

    public override Tensor ToMeasured(Tensor y) => y.flatten(1) * _u;

    public override Tensor FromMeasured(Tensor c) => c * _u;
}
