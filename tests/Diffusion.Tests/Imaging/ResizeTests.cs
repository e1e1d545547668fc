using Diffusion.Imaging;
using Diffusion.Runtime;
using FsCheck.Xunit;

namespace Diffusion.Tests.Imaging;

public sealed class ResizeTests : IDisposable
{
    private readonly ComputeScope _scope = new();

    [Fact]
    public void A_constant_picture_stays_constant()
    {
        Tensor x = torch.full([2, 3, 17, 23], 0.7f);
        foreach (
            Tensor y in new[]
            {
                Resize.Matlab(x, 1, 4),
                Resize.Matlab(x, 3),
                Resize.Resizer(x, 0.3),
                Resize.OpenCvCubic(x, 40, 11),
                Resize.ToSize(x, 5, 9, ResampleKernel.Lanczos),
            }
        )
            Assert.True((y - 0.7f).abs().max().item<float>() < 1e-5);
    }

    [Fact]
    public void Box_reduction_by_a_factor_is_the_block_mean()
    {
        Tensor x = torch.rand(1, 3, 12, 20);
        Tensor mean = torch.nn.functional.avg_pool2d(x, 4, 4);
        Assert.True((Resize.ToSize(x, 3, 5, ResampleKernel.Box) - mean).abs().max().item<float>() < 1e-6);
    }

    [Fact]
    public void Pillow_counts_a_sample_on_the_right_edge_of_a_box_and_not_on_the_left()
    {
        Tensor row = torch.tensor(new byte[] { 10, 20, 40 }).reshape(1, 1, 3);
        Assert.Equal(new byte[] { 15, 40 }, PillowResize.Resize(row, 1, 2, ResampleKernel.Box).data<byte>().ToArray());
    }

    [Fact]
    public void Resizing_to_the_same_size_changes_nothing()
    {
        Tensor x = torch.rand(1, 1, 9, 7);
        Assert.True((Resize.ToSize(x, 9, 7) - x).abs().max().item<float>() < 1e-6);
        Assert.True((Resize.OpenCvCubic(x, 9, 7) - x).abs().max().item<float>() < 1e-6);
    }

    [Theory]
    [InlineData(1, 1), InlineData(1, 40), InlineData(3, 2), InlineData(2, 300)]
    public void Tiny_and_extreme_sizes_work(int height, int width)
    {
        Tensor x = torch.rand(1, 3, height, width);
        Assert.Equal([1, 3, 7, 5], Resize.ToSize(x, 7, 5).shape);
        Assert.Equal([1, 3, (height + 7) / 8, (width + 7) / 8], Resize.Matlab(x, 1, 8).shape);
        Assert.False(Resize.ToSize(x, 1, 1).isnan().any().item<bool>());
    }

    [Property(MaxTest = 60)]
    public void Adjoint_taps_are_the_transpose(byte inputs, byte outputs, byte scale, byte mode)
    {
        using ComputeScope scope = new();
        (int n, int m) = (inputs % 40 + 1, outputs % 40 + 1);
        Taps taps = Resize.MatlabTaps(n, m, 0.1 + scale / 64.0, edges: (EdgeMode)(mode % 5));
        Tensor x = torch.randn([2, n, 3], ScalarType.Float64),
            y = torch.randn([2, m, 3], ScalarType.Float64);
        double left = (taps.Apply(x, 1) * y).sum().item<double>(),
            right = (x * taps.Transposed.Apply(y, 1)).sum().item<double>();
        Assert.Equal(left, right, 1e-10 * (1 + Math.Abs(left)));
    }

    [Theory]
    [InlineData(EdgeMode.Symmetric, new[] { 2, 1, 0, 0, 1, 2, 2, 1, 0, 0 })]
    [InlineData(EdgeMode.Reflect, new[] { 1, 2, 1, 0, 1, 2, 1, 0, 1, 2 })]
    [InlineData(EdgeMode.Replicate, new[] { 0, 0, 0, 0, 1, 2, 2, 2, 2, 2 })]
    [InlineData(EdgeMode.Circular, new[] { 0, 1, 2, 0, 1, 2, 0, 1, 2, 0 })]
    [InlineData(EdgeMode.Zero, new[] { -1, -1, -1, 0, 1, 2, -1, -1, -1, -1 })]
    public void Edge_modes_read_what_their_pictures_say(EdgeMode mode, int[] expected) =>
        Assert.Equal(expected, Enumerable.Range(-3, 10).Select(i => mode.Resolve(i, 3)).ToArray());

    [Fact]
    public void A_4096_pixel_picture_needs_no_dense_matrix()
    {
        Taps taps = Resize.MatlabTaps(4096, 1024, 0.25);
        Assert.Equal(16, taps.PerOutput);
        Assert.InRange(taps.Transposed.PerOutput, 4, 8);
    }

    [Fact]
    public void Wrong_arguments_name_what_was_received()
    {
        Tensor bytes = torch.zeros([3, 4, 4], ScalarType.Byte);
        Assert.Contains("[3,4,4] Byte", Assert.Throws<ArgumentException>(() => Resize.Matlab(bytes, 2)).Message);
        Assert.Contains("0x5", Assert.Throws<ArgumentException>(() => Resize.ToSize(torch.rand(1, 1, 4, 4), 5, 0)).Message);
        Assert.Contains(
            "uint8",
            Assert.Throws<ArgumentException>(() => PillowResize.Resize(torch.rand(3, 4, 4), 2, 2, ResampleKernel.Box)).Message
        );
        Assert.Contains(
            "expect 8 samples",
            Assert.Throws<ArgumentException>(() => Resize.MatlabTaps(8, 4, 0.5).Apply(torch.rand(7), 0)).Message
        );
    }

    [Fact]
    public void Nothing_leaks()
    {
        Tensor x = torch.rand(1, 3, 8, 8);
        Resize.Matlab(x, 1, 2).Dispose();
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        for (int i = 0; i < 3; i++)
        {
            Resize.Matlab(x, 1, 2).Dispose();
            Resize.Resizer(x, 0.5).Dispose();
        }
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    public void Dispose() => _scope.Dispose();
}
