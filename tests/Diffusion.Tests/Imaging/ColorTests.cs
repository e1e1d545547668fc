using Diffusion.Imaging;
using Diffusion.Runtime;

namespace Diffusion.Tests.Imaging;

public sealed class ColorTests : IDisposable
{
    private readonly ComputeScope _scope = new();

    [Fact]
    public void Srgb_and_linear_light_are_inverse()
    {
        Tensor x = torch.linspace(-0.2, 1.3, 301, dtype: ScalarType.Float64);
        Assert.True((Color.ToSrgb(Color.ToLinear(x)) - x).abs().max().item<double>() < 1e-12);
        Assert.Equal(0.2140411, Color.ToLinear(torch.tensor(0.5)).ToDouble(), 1e-6);
    }

    [Fact]
    public void White_is_one_in_full_range_and_235_in_video_range()
    {
        Tensor white = torch.ones([2, 3, 4, 5], ScalarType.Float64);
        Assert.Equal(1, Color.ToLuma(white).mean().item<double>(), 1e-12);
        Assert.Equal(235, Color.ToVideoLuma(white * 255).mean().item<double>(), 1e-9);
        Assert.Equal([2, 1, 4, 5], Color.ToLuma(white).shape);
    }

    [Fact]
    public void Gray_passes_through_and_is_repeated()
    {
        Tensor gray = torch.rand(2, 1, 3, 4);
        Assert.True(Color.ToLuma(gray).eq(gray).all().item<bool>());
        Assert.True(Color.ToRgb(gray).eq(gray.expand(2, 3, 3, 4)).all().item<bool>());
        Assert.Contains("[2,3]", Assert.Throws<ArgumentException>(() => Color.ToLuma(torch.rand(2, 3))).Message);
    }

    public void Dispose() => _scope.Dispose();
}
