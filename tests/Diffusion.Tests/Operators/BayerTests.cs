using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Operators;
using Diffusion.Runtime;

namespace Diffusion.Tests.Operators;

public sealed class BayerTests
{
    public static TheoryData<BayerPattern> Patterns => [.. Enum.GetValues<BayerPattern>()];

    [Theory, MemberData(nameof(Patterns))]
    public void A_slope_is_guessed_exactly_and_what_was_seen_is_kept(BayerPattern pattern)
    {
        using ComputeScope scope = new();
        using LinearOperator a = new Bayer { Pattern = pattern }.Bind(new ImageShape(3, 11, 14));
        // Parallel slopes in all colours: the gradient of one is that of the others.
        Tensor slope = 0.02 * torch.arange(11).reshape(11, 1) + 0.03 * torch.arange(14),
            x = torch.stack([slope, slope + 0.1, slope + 0.2]).unsqueeze(0),
            guess = a.Guess(a.Apply(x));
        Assert.True((guess - x).narrow(2, 2, 7).narrow(3, 2, 10).abs().max().item<float>() < 1e-5);
        Assert.True((a.Apply(guess) - a.Apply(x)).abs().max().item<float>() < 1e-6);
    }

    [Theory, MemberData(nameof(Patterns))]
    public void A_photograph_is_demosaiced_well(BayerPattern pattern)
    {
        using ComputeScope scope = new();
        using Picture photo = ImageFile.Read(Path.Combine(TestPaths.Repository, "src", "Diffusion.Cli", "demo", "cat.png"));
        using LinearOperator a = new Bayer { Pattern = pattern }.Bind(new ImageShape(3, photo.Height, photo.Width));
        Tensor guess = a.Guess(a.Apply(photo.Pixels)).clamp(0, 1);
        // Bilinear interpolation gives 33.5 dB.
        double psnr = -10 * Math.Log10((guess - photo.Pixels).square().mean().item<float>());
        Assert.True(psnr > 37, $"{psnr:F2} dB.");
    }

    [Theory]
    [InlineData(1, 1), InlineData(1, 7), InlineData(2, 2), InlineData(9, 2), InlineData(3, 3)]
    public void Small_pictures_have_a_guess_too(int height, int width)
    {
        using ComputeScope scope = new();
        using LinearOperator a = new Bayer().Bind(new ImageShape(3, height, width));
        Tensor y = torch.full([1, 1, height, width], 0.5),
            guess = a.Guess(y);
        Assert.Equal([1L, 3, height, width], guess.shape);
        Assert.True((a.Apply(guess) - y).abs().max().item<float>() < 1e-6);
    }
}
