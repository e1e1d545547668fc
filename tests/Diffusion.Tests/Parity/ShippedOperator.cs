using Diffusion.Inverse;
using Diffusion.Operators;

namespace Diffusion.Tests.Parity;

/// <summary>The shipped operators whose arithmetic is that of the published code, whatever the layout of its measurements.</summary>
internal static class ShippedOperator
{
    /// <summary>The shipped operator that a published one is, or null where that is a quirk of its code.</summary>
    public static LinearOperator? Of(LinearOperator published)
    {
        ImageShape shape = published.Input;
        int factor = published.Traits.Reduction;
        bool divides = shape.Height % factor == 0 && shape.Width % factor == 0;
        return published switch
        {
            PublishedIdentity => new Identity().Bind(shape),
            PublishedPooling => new Downsample { Factor = factor, Kernel = DownsampleKernel.Box }.Bind(shape),
            PublishedMask mask => Mask.Of(shape, mask.Adjoint(torch.ones(mask.Output.Batch(1)))[0, 0]),
            PublishedDenseMask mask => Mask.Of(shape, mask.Mask),
            // For odd factors SRConv's kernel sits half a pixel to the upper left of MATLAB's grid.
            PublishedStridedConvolution when factor % 2 == 0 => new Downsample { Factor = factor }.Bind(shape),
            PublishedResizer when divides => new Downsample { Factor = factor }.Bind(shape),
            PublishedCorrelation correlation => Blur.Of(shape, correlation.Kernel, Boundary.Reflect, KernelOrientation.Correlate),
            PublishedCircularConvolution { Kernel: var kernel } when kernel.shape[0] % 2 == 1 && kernel.shape[0] == kernel.shape[1] =>
                Circular(shape, kernel, factor),
            _ => null,
        };
    }

    /// <summary>Convolution on a torus, then every f-th pixel, the first one included.</summary>
    public static LinearOperator Circular(ImageShape shape, Tensor kernel, int factor) =>
        ComposedOperator.Of(
            Blur.Of(shape, kernel, Boundary.Circular),
            new Downsample
            {
                Factor = factor,
                Kernel = DownsampleKernel.Decimate,
                Phase = DecimationPhase.First,
            }.Bind(shape)
        );
}
