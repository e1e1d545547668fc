using Diffusion.Inverse;
using Diffusion.Operators;
using Diffusion.Runtime;

namespace Diffusion.Tests.Operators;

public sealed class RadonTests
{
    [Theory]
    [InlineData(9, 6, 5, 7)]
    [InlineData(6, 9, 8, null)]
    [InlineData(1, 5, 4, 3)]
    [InlineData(8, 8, 2, 40)]
    public void A_projection_is_the_sum_that_its_documentation_says(int height, int width, int angles, int? detector)
    {
        using ComputeScope scope = new();
        // Five planes: more than one group of those that are projected together.
        Tensor x = new PhiloxNoise(3, [default]).Draw(NoiseRole.Step, 1, 5, height, width);
        using LinearOperator a = new Radon { Angles = angles, Detector = detector }.Bind(new ImageShape(5, height, width));
        Tensor y = a.Apply(x);
        Assert.Equal([1, 5, angles, detector ?? (long)Math.Ceiling(Math.Sqrt(height * height + width * width))], y.shape);
        for (int channel = 0; channel < 5; channel++)
        {
            float[] pixels = x[0, channel].contiguous().data<float>().ToArray();
            double Pixel(int row, int column) =>
                row < 0 || row >= height || column < 0 || column >= width ? 0 : pixels[row * width + column];
            for (int angle = 0; angle < angles; angle++)
            {
                (double sin, double cos) = Math.SinCos(Math.PI * angle / angles);
                for (int ray = 0; ray < y.shape[3]; ray++)
                {
                    // The points with column cos + row sin = s, both from the middle of the picture.
                    double s = ray - (y.shape[3] - 1) / 2.0,
                        sum = 0;
                    bool steep = Math.Abs(cos) >= Math.Abs(sin);
                    for (int line = 0; line < (steep ? height : width); line++)
                    {
                        double at = steep
                            ? (s - (line - (height - 1) / 2.0) * sin) / cos + (width - 1) / 2.0
                            : (s - (line - (width - 1) / 2.0) * cos) / sin + (height - 1) / 2.0;
                        int near = (int)Math.Floor(at);
                        sum += steep
                            ? (1 - at + near) * Pixel(line, near) + (at - near) * Pixel(line, near + 1)
                            : (1 - at + near) * Pixel(near, line) + (at - near) * Pixel(near + 1, line);
                    }
                    sum *= 1 / Math.Max(Math.Abs(cos), Math.Abs(sin)) / Math.Sqrt((double)angles * Math.Max(height, width));
                    Assert.Equal(sum, y[0, channel, angle, ray].item<float>(), 2e-5);
                }
            }
        }
    }

    [Fact]
    public void A_batch_on_two_threads_is_its_pictures_on_one_bit_for_bit()
    {
        using ComputeScope scope = new();
        Tensor x = new PhiloxNoise(4, [default]).Draw(NoiseRole.Step, 1, 3, 30, 41).reshape(3, 1, 30, 41);
        using LinearOperator a = new Radon { Angles = 11 }.Bind(new ImageShape(1, 30, 41));
        int threads = torch.get_num_threads();
        try
        {
            torch.set_num_threads(2);
            Tensor y = a.Apply(x),
                back = a.Adjoint(y);
            torch.set_num_threads(1);
            for (int i = 0; i < 3; i++)
            {
                Tensor one = a.Apply(x.narrow(0, i, 1));
                Assert.True(y.narrow(0, i, 1).equal(one).all().item<bool>());
                Assert.True(back.narrow(0, i, 1).equal(a.Adjoint(one)).all().item<bool>());
            }
        }
        finally
        {
            torch.set_num_threads(threads);
        }
    }
}
