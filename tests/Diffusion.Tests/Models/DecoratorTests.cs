using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Tests.Models;

public sealed class DecoratorTests
{
    [Fact]
    public void Counting_counts_denoisings_and_predictions()
    {
        using ComputeScope scope = new();
        using VpPrior prior = PhotoPrior.Load();
        CountingDenoiser counting = CountingDenoiser.Around(prior);
        counting.Denoise(torch.zeros(2, 3, 16, 16), 0.3);
        Assert.IsAssignableFrom<IVpNetwork>(counting).Predict(torch.zeros(1, 3, 16, 16), 5);
        Assert.Equal(2, counting.Evaluations);
        Assert.False(CountingDenoiser.Around(Small()) is IVpNetwork);
    }

    [Theory]
    [InlineData(400, 400), InlineData(310, 171), InlineData(96, 700)]
    public void Tiles_of_a_network_with_a_finite_window_give_the_whole_picture(int height, int width)
    {
        using ComputeScope scope = new();
        using DenoisingPrior prior = Small();
        TiledDenoiser tiled = TiledDenoiser.Around(prior, 288, batch: 2);
        Assert.True(tiled.Tiles(height, width) > 1, "The picture is one tile.");
        Tensor x = PhotoPrior.Noise(2, 3, height, width);
        Assert.True((prior.Denoise(x, 0.2) - tiled.Denoise(x, 0.2)).abs().max().item<float>() < 1e-4);
    }

    [Theory]
    [InlineData(0.06), InlineData(0.3)]
    public void Tiles_of_the_shipped_prior_leave_no_seams(double sigma)
    {
        using ComputeScope scope = new();
        using VpPrior prior = PhotoPrior.Load();
        TiledDenoiser tiled = TiledDenoiser.Around(prior, 128);
        const int Height = 272,
            Width = 320;
        Tensor clean = PhotoPrior.Photograph(Height, Width),
            x = clean + sigma * PhotoPrior.Noise(1, 3, Height, Width);
        Tensor whole = prior.Denoise(x, sigma),
            pieces = tiled.Denoise(x, sigma);
        Assert.True(tiled.Tiles(Height, Width) > 4);
        double error = (whole - clean).square().mean().sqrt().item<float>(),
            difference = (whole - pieces).square().mean().sqrt().item<float>();
        Assert.True(difference < 0.25 * error, $"Tiles differ by {difference:G3} where the error is {error:G3}.");
        Assert.True((pieces - whole).mean([2L, 3L]).abs().max().item<float>() < 1 / 127.5, "The mean drifts by a grey level.");
        // A seam is a line along which tiles begin or end and across which the picture changes more than it does there when it is computed
        // whole.
        foreach (int dim in (int[])[2, 3])
        {
            TileSpan[] spans = TileSpan.Cut((int)x.shape[dim], 128, 32, 0, prior.Info.SizeMultiple);
            long[] borders =
            [
                .. spans.Skip(1).Select(span => span.Start - 1L),
                .. spans.SkipLast(1).Select(span => span.Start + span.Length - 1L),
            ];
            Tensor rise = Steps(pieces, dim) / Steps(whole, dim),
                seams = rise.index_select(0, torch.tensor(borders));
            Assert.True(
                seams.mean().item<float>() < 1.05 * rise.mean().item<float>() && seams.max().item<float>() < 1.05,
                $"Along tiles the picture changes {seams.mean().item<float>():F3} times as much as it should, "
                    + $"{seams.max().item<float>():F3} at most."
            );
        }
        Assert.Equal(x.shape, Assert.IsAssignableFrom<IVpNetwork>(tiled).Predict(x, 100).Epsilon.shape);

        // The mean change from each line to the next.
        static Tensor Steps(Tensor t, long dim)
        {
            long n = t.shape[dim] - 1;
            return (t.narrow(dim, 1, n) - t.narrow(dim, 0, n)).abs().mean([0L, 1L, 5 - dim]);
        }
    }

    [Theory]
    [
        InlineData(100, 32, 8, null),
        InlineData(1000, 96, 48, null),
        InlineData(97, 64, 32, 15),
        InlineData(65, 64, null, 15),
        InlineData(513, 128, 48, 33)
    ]
    public void Every_pixel_is_covered_at_the_networks_grid(int length, int tile, int? overlap, int? window)
    {
        using ComputeScope scope = new();
        Identity identity = new(
            new PriorInfo
            {
                Name = "identity",
                Kind = PriorKind.PosteriorMean,
                SizeMultiple = 8,
                ReceptiveField = window,
            }
        );
        Tensor x = torch.arange(3 * 20 * length).reshape(1, 3, 20, length).to(ScalarType.Float32);
        Assert.True(
            (TiledDenoiser.Around(identity, tile, overlap, batch: 3).Denoise(x, 1) / x.clamp_min(1) - x / x.clamp_min(1))
                .abs()
                .max()
                .item<float>() < 1e-6
        );
        Assert.All(identity.Starts, start => Assert.Equal(0, start % 8));
    }

    [Fact]
    public void Tiles_too_small_for_their_overlap_are_refused()
    {
        using DenoisingPrior prior = Small();
        Assert.Contains("too small", Assert.Throws<ArgumentException>(() => TiledDenoiser.Around(prior, 64)).Message);
    }

    private static DenoisingPrior Small()
    {
        DruNet network = new(new DruNetConfig([8, 8, 8, 8], 1), new ComputePolicy());
        network.Initialize(9);
        return new DenoisingPrior(network, new PriorInfo { Name = "small", Kind = PriorKind.PosteriorMean });
    }

    /// <summary>Returns its input, whose first row counts the columns.</summary>
    private sealed class Identity(PriorInfo info) : IDenoiser
    {
        public List<long> Starts { get; } = [];
        public PriorInfo Info => info;

        public Tensor Denoise(Tensor x, double sigma, in Condition condition = default)
        {
            for (long i = 0; i < x.shape[0]; i++)
                Starts.Add((long)x[i, 0, 0, 0].item<float>());
            return x.clone();
        }

        public void Dispose() { }
    }
}
