using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Operators;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Tests.Restoration;

/// <summary>Pictures that are too large for the memory are restored area by area.</summary>
public sealed class LargePictureTests
{
    private const int Height = 600,
        Width = 760;

    // Enough for areas of 512 pixels, too little for the whole picture.
    private const long Bound = 420L << 20;

    [Theory]
    [
        InlineData("identity"),
        InlineData("blur:sigma=1.5"),
        InlineData("blur:kernel=motion,length=9,angle=30,boundary=replicate"),
        InlineData("blur:kernel=motion,length=9,angle=30"),
        InlineData("downsample:factor=4"),
        InlineData("mask:random=0.5"),
        InlineData("mask:stripes=3|blur:sigma=1"),
        InlineData("gray"),
        InlineData("bayer"),
        InlineData("blur:sigma=1|downsample:factor=5,kernel=box")
    ]
    public void Area_by_area_is_as_a_whole_where_the_prior_looks_only_nearby(string spec)
    {
        using Picture photo = Photo(3);
        using Measurement y = new Degrader(ShippedOperators.Catalog.Parse(spec), 0.05).Degrade(photo).Measurement;
        using Restorer whole = new(Options(), new LocalPrior()),
            areas = new(Options() with { Memory = Bound }, new LocalPrior());
        Assert.Equal(1, whole.Plan(y).Areas);
        RestorePlan plan = areas.Plan(y);
        Assert.True(plan.Areas > 1 && plan.Bytes <= Bound, $"{plan}");
        using RestoredPicture expected = whole.Restore(y),
            actual = areas.Restore(y);
        Assert.Equal(plan.Areas, actual.Areas);
        Assert.Equal(expected.Picture.Pixels.shape, actual.Picture.Pixels.shape);
        Assert.Equal(
            (expected.Operator, expected.Solver, expected.Evaluations, expected.Noise),
            (actual.Operator, actual.Solver, actual.Evaluations, actual.Noise)
        );
        Assert.Equal(expected.WhitenedResidual!.Value, actual.WhitenedResidual!.Value, 0.02);
        using Tensor difference = (expected.Picture.Pixels - actual.Picture.Pixels).abs();
        Assert.True(
            difference.max().item<float>() < 4e-3,
            $"The largest difference is {difference.max().item<float>():G3}, {difference.mean().item<float>():G3} on average."
        );
    }

    [Fact]
    public void A_gray_picture_without_a_side_file_keeps_its_alpha()
    {
        using Picture photo = Photo(1),
            transparent = new(photo.Pixels.clone(), torch.linspace(0, 1, Width).expand(1, 1, Height, Width).contiguous()) { Name = "gray" };
        using Measurement y = Measurement.From(transparent);
        using Restorer areas = new(Options() with { Operator = "blur:sigma=1", Noise = 0.05, Memory = Bound }, new LocalPrior());
        using RestoredPicture restored = areas.Restore(y);
        Assert.True(areas.Plan(y).Areas > 1);
        Assert.Equal((1, Height, Width), (restored.Picture.Channels, restored.Picture.Height, restored.Picture.Width));
        Assert.NotNull(restored.Picture.Alpha);
    }

    [Theory]
    [InlineData("fourier"), InlineData("blur:sigma=1,boundary=circular"), InlineData("radon:angles=3")]
    public void What_looks_at_the_whole_picture_is_refused_with_too_little_memory(string spec)
    {
        using Picture photo = Photo(3);
        using Measurement y = new Degrader(ShippedOperators.Catalog.Parse(spec), 0.05).Degrade(photo).Measurement;
        using Restorer restorer = new(Options() with { Memory = Bound }, new LocalPrior());
        Assert.Throws<ResourceException>(() => restorer.Restore(y));
    }

    private static RestoreOptions Options() =>
        new()
        {
            Solver = "dpir",
            Steps = 2,
            Policy = ComputePolicy.Reference,
        };

    private static Picture Photo(int channels)
    {
        using ComputeScope scope = new();
        Tensor x = 0.5 + 0.15 * new PhiloxNoise(1, [ImageKey.FromName("photo")]).Draw(NoiseRole.Start, 1, channels, Height, Width);
        return new Picture(torch.nn.functional.avg_pool2d(x, 3L, stride: 1L, padding: 1L).clamp(0, 1)) { Name = "photo" };
    }

    /// <summary>Smooths over a few pixels.</summary>
    private sealed class LocalPrior : IDenoiser
    {
        public PriorInfo Info { get; } =
            new()
            {
                Name = "local",
                Kind = PriorKind.PosteriorMean,
                SizeMultiple = 8,
                ReceptiveField = 3,
            };

        public Tensor Denoise(Tensor x, double sigma, in Condition condition = default)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            double share = sigma / (1 + sigma);
            return (
                (1 - share) * x + share * torch.nn.functional.avg_pool2d(x, 3L, stride: 1L, padding: 1L, count_include_pad: false)
            ).MoveToOuterDisposeScope();
        }

        public void Dispose() { }
    }
}
