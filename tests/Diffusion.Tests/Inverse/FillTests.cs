using Diffusion.Inverse;
using Diffusion.Operators;
using Diffusion.Runtime;
using Diffusion.Tests.Parity;

namespace Diffusion.Tests.Inverse;

public sealed class FillTests
{
    [Fact]
    public void The_harmonic_fill_solves_the_Laplace_equation_and_keeps_known_pixels()
    {
        using ComputeScope scope = new();
        Tensor x = Slope(),
            mask = new Mask { Random = 0.8, Seed = 3 }.BuildMask(new ImageShape(3, 60, 45));
        Tensor filled = Fill.Harmonic(x * mask, mask, 1e-6);
        Assert.True(((filled - x) * mask).abs().max().item<float>() < 1e-6);
        Tensor p = torch.nn.functional.pad(filled, [1L, 1L, 1L, 1L], PaddingModes.Replicate);
        Tensor mean =
            (
                p.narrow(2, 0, 60).narrow(3, 1, 45)
                + p.narrow(2, 2, 60).narrow(3, 1, 45)
                + p.narrow(2, 1, 60).narrow(3, 0, 45)
                + p.narrow(2, 1, 60).narrow(3, 2, 45)
            ) / 4;
        Assert.True(((mean - filled) * (1 - mask)).abs().max().item<float>() < 1e-4);
        Assert.True((filled - x).abs().max().item<float>() < 0.15);
    }

    [Fact]
    public void A_large_hole_is_filled_between_its_edges()
    {
        using ComputeScope scope = new();
        // Harmonic is what is linear: between known columns 0.2 and 0.8 the fill is the straight line.
        Tensor x = (torch.linspace(0.2, 0.8, 64)).expand(1, 1, 64, 64).contiguous(),
            mask = torch.zeros(64, 64);
        mask.narrow(1, 0, 4).fill_(1);
        mask.narrow(1, 60, 4).fill_(1);
        Assert.True((Fill.Harmonic(x * mask, mask, 1e-6) - x).abs().max().item<float>() < 0.01);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Fills_take_masks_that_are_all_known_or_all_missing(int known)
    {
        using ComputeScope scope = new();
        Tensor x = Slope(),
            mask = torch.full([60, 45], (float)known);
        foreach (
            Tensor filled in (Tensor[])[Fill.Harmonic(x * mask, mask), Fill.Median(x * mask, mask), PublishedFill.Shepard(x * mask, mask)]
        )
        {
            Assert.True(filled.isfinite().all().item<bool>());
            if (known == 1)
                Assert.Equal(0, (filled - x).abs().max().item<float>());
        }
    }

    [Fact]
    public void The_median_fill_takes_the_lower_median_of_the_pass_before()
    {
        using ComputeScope scope = new();
        Tensor x = torch.tensor([0f, 1f, 2f, 0f, 5f, 0f, 0f]).reshape(1, 1, 1, 7),
            mask = torch.tensor([0f, 1f, 1f, 0f, 1f, 0f, 0f]).reshape(1, 7);
        Assert.Equal([1f, 1f, 2f, 2f, 5f, 5f, 5f], Fill.Median(x, mask).data<float>());
    }

    [Fact]
    public void Ignored_values_at_missing_pixels_do_not_matter()
    {
        using ComputeScope scope = new();
        Tensor x = Slope(),
            mask = new Mask { Random = 0.5 }.BuildMask(new ImageShape(3, 60, 45));
        foreach (
            Func<Tensor, Tensor> fill in (Func<Tensor, Tensor>[])
                [y => Fill.Harmonic(y, mask), y => Fill.Median(y, mask), y => PublishedFill.Shepard(y, mask)]
        )
            Assert.Equal(0, (fill(x * mask) - fill(x * mask + 7 * (1 - mask))).abs().max().item<float>());
    }

    private static Tensor Slope()
    {
        Tensor rows = torch.linspace(0, 1, 60).unsqueeze(1),
            columns = torch.linspace(0, 1, 45);
        return torch.stack([rows * 0.6 + columns * 0.3, rows * columns, 1 - rows.expand(60, 45)]).unsqueeze(0);
    }
}
