using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Operators;
using Diffusion.Runtime;

namespace Diffusion.Tests.Operators;

public sealed class BayerTests
{
    public static TheoryData<ColorPattern> Patterns => [ColorPattern.Rggb, ColorPattern.Bggr, ColorPattern.Grbg, ColorPattern.Gbrg];

    [Theory, MemberData(nameof(Patterns))]
    public void A_slope_is_guessed_exactly_and_what_was_seen_is_kept(ColorPattern pattern)
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
    public void A_photograph_is_demosaiced_well(ColorPattern pattern)
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

    [Theory]
    [InlineData("rggb", "RGGB"), InlineData("grbg", "GRBG"), InlineData("gbrg", "1 2 / 0 3"), InlineData("xtrans", "X-Trans")]
    [InlineData("xtrans", "GBGGRG/RGRBGB/GBGGRG/GRGGBG/BGBRGR/GRGGBG"), InlineData("rrgg/rrgg/ggbb/ggbb", "rrggrrggggbbggbb")]
    public void Patterns_are_read_in_any_case_and_spelling(string canonical, string text)
    {
        ColorPattern pattern = ColorPattern.Parse(text, null);
        Assert.Equal((canonical, ColorPattern.Parse(canonical, null)), (pattern.ToString(), pattern));
        Bayer bayer = (Bayer)ShippedOperators.Catalog.Parse($"bayer:pattern=\"{text}\"");
        Assert.Equal((pattern, bayer), (bayer.Pattern, ShippedOperators.Catalog.Parse(bayer.ToString())));
    }

    [Theory, InlineData("rgg"), InlineData("rggx"), InlineData("gggg"), InlineData("rggbr"), InlineData("")]
    public void What_is_no_pattern_is_refused(string text) => Assert.False(ColorPattern.TryParse(text, null, out _));

    [Fact]
    public void A_block_of_X_Trans_shows_every_colour_in_each_row_and_column_and_twenty_greens()
    {
        int[] greens = new int[3];
        for (int row = 0; row < 6; row++)
        {
            Assert.Equal(3, Enumerable.Range(0, 6).Select(column => ColorPattern.Xtrans.ColorAt(row, column)).Distinct().Count());
            Assert.Equal(3, Enumerable.Range(0, 6).Select(column => ColorPattern.Xtrans.ColorAt(column, row)).Distinct().Count());
            for (int column = 0; column < 6; column++)
                greens[ColorPattern.Xtrans.ColorAt(row, column)]++;
        }
        Assert.Equal([8, 20, 8], greens);
    }

    [Fact]
    public void A_photograph_behind_X_Trans_is_demosaiced_well()
    {
        using ComputeScope scope = new();
        using Picture photo = ImageFile.Read(Path.Combine(TestPaths.Repository, "src", "Diffusion.Cli", "demo", "cat.png"));
        using LinearOperator a = new Bayer { Pattern = ColorPattern.Xtrans }.Bind(new ImageShape(3, photo.Height, photo.Width));
        Tensor y = a.Apply(photo.Pixels),
            guess = a.Guess(y);
        Assert.True((a.Apply(guess) - y).abs().max().item<float>() < 1e-6);
        // Each colour interpolated alone gives 29 dB.
        double psnr = -10 * Math.Log10((guess.clamp(0, 1) - photo.Pixels).square().mean().item<float>());
        Assert.True(psnr > 33, $"{psnr:F2} dB.");
    }

    [Theory]
    [InlineData("rggb"), InlineData("gbrg"), InlineData("xtrans"), InlineData("rrgg/rrgg/ggbb/ggbb")]
    public void The_noise_of_a_mosaic_is_estimated(string pattern)
    {
        using ComputeScope scope = new();
        foreach (string name in (string[])["cat", "coffee", "astronaut"])
        {
            using Picture photo = ImageFile.Read(Path.Combine(TestPaths.Repository, "src", "Diffusion.Cli", "demo", name + ".png"));
            using LinearOperator a = new Bayer { Pattern = ColorPattern.Parse(pattern, null) }.Bind(
                new ImageShape(3, photo.Height, photo.Width)
            );
            Tensor y = a.Apply(photo.Pixels),
                noise = new PhiloxNoise(5, [default]).Draw(NoiseRole.Measurement, y.shape);
            foreach (double sigma in (double[])[0.01, 0.03, 0.1])
            {
                double found = NoiseEstimate.From(y + sigma * noise, a)!.Sigma;
                Assert.True(found > 0.9 * sigma && found < 1.3 * sigma, $"{name} {sigma}: {found}");
            }
        }
    }
}
