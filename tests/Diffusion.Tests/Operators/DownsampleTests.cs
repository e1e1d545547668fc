using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Operators;
using Diffusion.Runtime;

namespace Diffusion.Tests.Operators;

public sealed class DownsampleTests
{
    public static TheoryData<DownsampleKernel, int> Cases =>
        [
            .. from kernel in (DownsampleKernel[])[DownsampleKernel.Bicubic, DownsampleKernel.Bilinear, DownsampleKernel.Lanczos]
            from factor in (int[])[2, 3, 4, 5]
            select (kernel, factor),
        ];

    [Theory, MemberData(nameof(Cases))]
    public void The_closed_form_is_the_resampling_that_pictures_are_resized_with(DownsampleKernel kernel, int factor)
    {
        using ComputeScope scope = new();
        Tensor x = new PhiloxNoise(1, [default]).Draw(NoiseRole.Step, 1, 3, 6 * factor, 4 * factor);
        using LinearOperator a = new Downsample { Factor = factor, Kernel = kernel }.Bind(new ImageShape(3, 6 * factor, 4 * factor));
        ResampleKernel weights =
            kernel == DownsampleKernel.Bicubic ? ResampleKernel.Bicubic
            : kernel == DownsampleKernel.Bilinear ? ResampleKernel.Bilinear
            : ResampleKernel.Lanczos;
        Assert.True((Resize.ToSize(x, 6, 4, weights) - a.Apply(x)).abs().max().item<float>() < 2e-5);
    }

    [Theory]
    [InlineData("downsample:factor=4")]
    [InlineData("downsample:factor=3,kernel=box")]
    [InlineData("downsample:factor=4,kernel=decimate")]
    [InlineData("downsample:factor=4,kernel=decimate,phase=0")]
    [InlineData("downsample:factor=2,boundary=circular")]
    [InlineData("downsample:factor=2,boundary=reflect")]
    [InlineData("blur:sigma=1,boundary=circular|downsample:factor=4,kernel=decimate")]
    [InlineData("gray|downsample:factor=4")]
    public void The_first_guess_is_aligned_with_the_picture(string spec)
    {
        using ComputeScope scope = new();
        // A slope: a guess that is shifted by half a pixel is off by half its step.
        Tensor x = (torch.linspace(0, 1, 48).unsqueeze(1) + torch.linspace(0, 1, 60)).expand(1, 3, 48, 60).contiguous();
        using LinearOperator a = ShippedOperators.Catalog.Parse(spec).Bind(new ImageShape(3, 48, 60));
        Tensor difference = (a.Guess(a.Apply(x)) - x).narrow(2, 12, 24).narrow(3, 12, 36);
        Assert.True(difference.abs().max().item<float>() < 2e-3, $"{difference.mean().item<float>()}");
    }

    [Fact]
    public void Every_guess_of_a_smooth_picture_is_near_it()
    {
        using ComputeScope scope = new();
        Tensor rows = torch.linspace(0, 3, 48).unsqueeze(1),
            columns = torch.linspace(0, 2, 60),
            plane = 0.5 + 0.3 * (rows.sin() * columns.cos());
        Tensor x = torch.stack([plane, plane, plane]).unsqueeze(0);
        foreach (
            string spec in (string[])
                [
                    "identity",
                    "blur",
                    "blur:boundary=valid",
                    "mask:random=0.8",
                    "mask:stripes=4",
                    "gray",
                    "bayer",
                    "pad:left=3,boundary=symmetric",
                    "hadamard:order=sequency",
                    "radon:angles=30",
                    "gray|mask:random=0.5",
                ]
        )
        {
            using LinearOperator a = ShippedOperators.Catalog.Parse(spec).Bind(new ImageShape(3, 48, 60));
            double error = Math.Sqrt((a.Guess(a.Apply(x)) - x).square().mean().item<float>());
            Assert.True(error < 0.05, $"{spec}: {error}");
        }
    }
}
