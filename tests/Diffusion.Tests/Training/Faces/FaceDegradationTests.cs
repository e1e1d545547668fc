using Diffusion.Metrics;
using Diffusion.Runtime;
using Diffusion.Training;

namespace Diffusion.Tests.Training.Faces;

public sealed class FaceDegradationTests
{
    private static readonly FaceDegradation Nothing = new()
    {
        Blur = (1e-3, 1e-3),
        Reduction = (1, 1),
        Noise = (0, 0),
        Quality = (100, 100),
    };

    [Fact]
    public void Seed_and_number_decide_everything()
    {
        using Tensor face = Face();
        FaceDegradation recipe = new FaceDegradation().ForSide(64);
        using DegradedFace a = recipe.Apply(face, 7, 3),
            same = recipe.Apply(face, 7, 3),
            next = recipe.Apply(face, 7, 4),
            seeded = recipe.Apply(face, 8, 3);
        Assert.True(a.Picture.equal(same.Picture).all().item<bool>());
        Assert.NotEqual(a.Reduction, next.Reduction);
        Assert.NotEqual(a.Reduction, seeded.Reduction);
        Assert.Equal(face.shape, a.Picture.shape);
        Assert.Equal((int)Math.Round(64 / a.Reduction), (int)a.Small.shape[3]);
        using Tensor steps = a.Picture * 255;
        Assert.True((steps - steps.round()).abs().max().item<float>() < 1e-3);
    }

    [Fact]
    public void Without_strength_it_does_next_to_nothing()
    {
        using Tensor face = Face();
        using DegradedFace kept = Nothing.Apply(face, 1, 1);
        Assert.True(Psnr.Compute(kept.Picture, face) > 38, $"{Psnr.Compute(kept.Picture, face)}");
    }

    [Fact]
    public void Blur_keeps_the_mean_and_the_place()
    {
        using Tensor point = torch.zeros(1, 3, 64, 64);
        point[0].narrow(1, 20, 1).narrow(2, 40, 1).fill_(1);
        using DegradedFace blurred = (Nothing with { Blur = (2, 2), Radius = (12, 12) }).Apply(point, 1, 1);
        using Tensor plane = blurred.Picture[0, 1];
        Assert.Equal(20 * 64 + 40, plane.argmax().item<long>());
        // A Gaussian of sigma 2 has 1 / (8 pi) at its centre.
        Assert.Equal(1 / (8 * Math.PI), plane.max().item<float>(), 0.008);
    }

    [Fact]
    public void Noise_has_the_strength_that_is_told()
    {
        using Tensor gray = torch.full([1, 3, 64, 64], 0.5f);
        using DegradedFace noisy = (Nothing with { Noise = (0.05, 0.05) }).Apply(gray, 1, 1);
        using Tensor difference = noisy.Picture[0, 1] - 0.5;
        Assert.Equal(0.05, noisy.Noise);
        Assert.Equal(0.05, difference.std().item<float>(), 0.01);
    }

    [Fact]
    public void Lengths_follow_the_size_of_the_face()
    {
        FaceDegradation half = new FaceDegradation().ForSide(256);
        Assert.Equal((0.05, 5.0), half.Blur);
        Assert.Equal((0.4, 4.0), half.Reduction);
        Assert.Equal((0, 20 / 255.0), half.Noise);
    }

    [Fact]
    public void A_gentler_recipe_is_nearer_to_its_best()
    {
        FaceDegradation recipe = new(),
            half = recipe.Gentler(0.5),
            best = recipe.Gentler(0);
        Assert.Equal(recipe, recipe.Gentler(1));
        Assert.Equal((0, 10 / 255.0), half.Noise);
        Assert.Equal((80, 100), half.Quality);
        Assert.Equal(((0.1, 0.1), (0.8, 0.8), (100, 100)), (best.Blur, best.Reduction, best.Quality));
    }

    /// <summary>
    /// The recipe enlarges linearly: between the samples of a face that was four times smaller lie straight lines. Photographs enlarge
    /// otherwise, and twice.
    /// </summary>
    [Fact]
    public void Some_faces_come_to_their_size_as_those_of_photographs_do()
    {
        using ComputeScope scope = new();
        FaceSource faces = new([TrainingPhotoOf(64)], 64, 3)
        {
            Degradation = new FaceDegradation
            {
                Blur = (8, 8),
                Reduction = (32, 32),
                Noise = (0, 0),
                Quality = (100, 100),
            },
            LargestScale = 0,
        };
        const int Draws = 60;
        int straight = 0;
        for (int step = 0; step < Draws; step++)
        {
            Tensor x = (faces.Draw(step, 0).Degraded + 1) * 127.5;
            Assert.Equal(0, (faces.Draw(step, 0).Degraded - (x / 127.5 - 1)).abs().max().item<float>(), 1e-5);
            // Samples of 16 lie at 1.5, 5.5, 9.5: columns 3, 4 and 7, 8 are between two of them.
            Tensor bend = x.slice(3, 10, 54, 4) - x.slice(3, 11, 55, 4) - x.slice(3, 11, 55, 4) + x.slice(3, 12, 56, 4);
            if (bend.abs().max().item<float>() <= 2.01f)
                straight++;
        }
        Assert.InRange(straight, Draws * 0.45, Draws * 0.9);
    }

    private static Tensor Face() => FaceSource.Face(TrainingPhotoOf(64), 64);

    private static TrainingPhoto TrainingPhotoOf(int side)
    {
        byte[] pixels = new byte[3 * side * side];
        for (int i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)(128 + 90 * Math.Sin(i / 3 % side * 0.3) * Math.Cos(i / 3 / side * 0.2 + i % 3));
        return new TrainingPhoto("face", pixels, side, side, IsLossy: false);
    }
}
