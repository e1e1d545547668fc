using Diffusion.Training;

namespace Diffusion.Tests.Training;

public sealed class CropSourceTests
{
    private const int Size = 16;

    private static float[] Crop(CropSource source, long step, int index, double sigma = 0.1)
    {
        float[] crop = new float[3 * Size * Size];
        source.Fill(step, index, Size, sigma, crop);
        return crop;
    }

    [Fact]
    public void A_crop_depends_on_seed_step_and_index_only()
    {
        CropSource source = new(TrainingFixture.Photos, 5);
        float[] first = Crop(source, 3, 4);
        Crop(source, 9, 9);
        Assert.Equal(first, Crop(source, 3, 4));
        Assert.NotEqual(first, Crop(source, 3, 5));
        Assert.NotEqual(first, Crop(source, 4, 4));
        Assert.NotEqual(first, Crop(new CropSource(TrainingFixture.Photos, 6), 3, 4));
    }

    [Fact]
    public void Area_averaging_keeps_linear_ramps()
    {
        // A ramp of 2 levels a pixel stays a ramp under any reduction, up to the steps of its 8-bit staircase.
        byte[] pixels = new byte[3 * 100 * 100];
        for (int i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)(2 * (i / 3 % 100));
        CropSource source = new([new TrainingPhoto("ramp", pixels, 100, 100, false)], 1);
        for (int index = 0; index < 200; index++)
        {
            float[] crop = Crop(source, 0, index);
            float dx = (crop[Size - 1] - crop[0]) / (Size - 1),
                dy = (crop[(Size - 1) * Size] - crop[0]) / (Size - 1);
            for (int y = 0; y < Size; y++)
            for (int x = 0; x < Size; x++)
                Assert.Equal(crop[0] + x * dx + y * dy, crop[y * Size + x], 0.01f);
            double slope = Math.Max(Math.Abs(dx), Math.Abs(dy)) * 127.5 / 2;
            Assert.InRange(slope, 0.98, 3.02);
            Assert.True(crop.All(v => v is >= -1 and <= 1));
        }
    }

    [Fact]
    public void Pictures_with_an_upright_are_mirrored_but_never_turned()
    {
        // Brighter from the top to the bottom, and a little from the left to the right.
        byte[] pixels = new byte[3 * 100 * 100];
        for (int i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)(i / 300 * 2 + i / 3 % 100 / 4);
        CropSource source = new([new TrainingPhoto("sky", pixels, 100, 100, false)], 1, upright: true);
        float[][] crops = [.. Enumerable.Range(0, 40).Select(index => Crop(source, 0, index))];
        Assert.All(crops, crop => Assert.True(crop[(Size - 1) * Size] > crop[0] + 0.1));
        Assert.Contains(crops, crop => crop[Size - 1] > crop[0]);
        Assert.Contains(crops, crop => crop[Size - 1] < crop[0]);
    }

    [Theory]
    [InlineData(true, 0.02, false)]
    [InlineData(true, 0.05, true)]
    [InlineData(false, 0.02, true)]
    public void Lossy_photographs_are_used_at_full_scale_only_under_noise(bool lossy, double sigma, bool expected)
    {
        byte[] pixels = new byte[3 * 100 * 100];
        for (int i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)((i / 3 % 100 + i / 300) % 2 * 255);
        CropSource source = new([new TrainingPhoto("checkerboard", pixels, 100, 100, lossy)], 1);
        // Only the full scale keeps a checkerboard of single pixels at full contrast.
        bool full = Enumerable.Range(0, 50).Any(i => Crop(source, 0, i, sigma).All(v => Math.Abs(v) > 0.999f));
        Assert.Equal(expected, full);
    }

    [Fact]
    public void Photographs_that_are_too_small_are_named_as_the_cause() =>
        Assert.Contains(
            "16 pixels",
            Assert
                .Throws<ArgumentException>(() => Crop(new CropSource([new TrainingPhoto("tiny", new byte[3 * 64], 8, 8, false)], 1), 0, 0))
                .Message
        );
}
