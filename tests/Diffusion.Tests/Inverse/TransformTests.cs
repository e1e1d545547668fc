using Diffusion.Numerics;
using Diffusion.Runtime;

namespace Diffusion.Tests.Inverse;

public sealed class TransformTests
{
    public static TheoryData<int, int> Sizes => [(1, 1), (1, 5), (2, 2), (3, 2), (4, 7), (8, 8), (9, 6), (12, 20), (15, 1)];

    [Theory, MemberData(nameof(Sizes))]
    public void The_cosine_transform_is_its_definition_and_orthonormal(int height, int width)
    {
        using ComputeScope scope = new();
        Tensor x = Draw(height, width),
            c = Dct.Forward(x);
        Close(Cosines(height).matmul(x).matmul(Cosines(width).t()), c);
        Close(x, Dct.Inverse(c));
        Close(x.to(ScalarType.Float64), Dct.Inverse(Dct.Forward(x.to(ScalarType.Float64))));
    }

    [Theory, MemberData(nameof(Sizes))]
    public void The_Hartley_transform_is_its_own_inverse_and_knows_Fourier(int height, int width)
    {
        using ComputeScope scope = new();
        Tensor x = Draw(height, width),
            h = Hartley.Transform(x);
        Close(x, Hartley.Transform(h));
        Close(torch.fft.fft2(x, norm: FFTNormType.Ortho).imag, Hartley.ToFourier(h).imag);
        Close(x.square().sum(), h.square().sum());
    }

    [Theory, MemberData(nameof(Sizes))]
    public void The_Walsh_Hadamard_transform_is_orthonormal_and_keeps_the_mean_first(int height, int width)
    {
        using ComputeScope scope = new();
        Tensor x = Draw(height, width),
            c = WalshHadamard.Forward(x);
        Close(x, WalshHadamard.Inverse(c));
        Close(x.mean([-2L, -1L]) * Math.Sqrt(height * width), c.select(-1, 0).select(-1, 0));
        Close(x.square().sum(), c.square().sum());
    }

    [Fact]
    public void At_powers_of_two_it_is_the_natural_order_Hadamard_matrix_of_the_row_major_picture()
    {
        using ComputeScope scope = new();
        Tensor x = Draw(4, 8),
            hadamard = torch.ones(1, 1);
        while (hadamard.shape[0] < 32)
            hadamard = torch.cat([torch.cat([hadamard, hadamard], 1), torch.cat([hadamard, -hadamard], 1)], 0);
        Close(x.reshape(2, 3, 32).matmul(hadamard) / Math.Sqrt(32), WalshHadamard.Forward(x).reshape(2, 3, 32));
    }

    private static Tensor Draw(int height, int width) => new PhiloxNoise(3, [default, default]).Draw(NoiseRole.Step, 2, 3, height, width);

    private static Tensor Cosines(int n)
    {
        Tensor k = torch.arange(n, dtype: ScalarType.Float64).unsqueeze(1),
            i = torch.arange(n, dtype: ScalarType.Float64);
        Tensor c = (Math.PI * k * (2 * i + 1) / (2 * n)).cos() * Math.Sqrt(2.0 / n);
        c[0] = c[0] / Math.Sqrt(2);
        return c.to(ScalarType.Float32);
    }

    private static void Close(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        Assert.True(
            (expected - actual).abs().max().to(ScalarType.Float64).item<double>()
                < 2e-5 * Math.Max(1, expected.abs().max().to(ScalarType.Float64).item<double>())
        );
    }
}
