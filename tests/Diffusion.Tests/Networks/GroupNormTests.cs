using Diffusion.Networks;
using Diffusion.Networks.Layers;
using Diffusion.Runtime;

namespace Diffusion.Tests.Networks;

public sealed class GroupNormTests
{
    [Theory]
    [
        InlineData(1, 32, 5, 7, true, true),
        InlineData(3, 96, 16, 16, true, false),
        InlineData(2, 64, 1, 1, false, true),
        InlineData(1, 256, 40, 33, false, false),
        InlineData(2, 32, 200, 100, true, true)
    ]
    public void The_fused_norm_agrees_with_float64_arithmetic(int n, int channels, int height, int width, bool modulated, bool silu)
    {
        using ComputeScope scope = new();
        using OneNorm fused = new(new ComputePolicy(), channels);
        Tensor x = ChannelsLast.Of(Numbers(n, channels, height, width) * 0.7 + 2),
            scale = Numbers(n, channels),
            shift = Numbers(n, channels) * 0.3;
        Tensor y = fused.Norm.Forward(x, modulated ? (scale, shift) : null, silu);
        Tensor expected = torch.nn.functional.group_norm(
            x.to(ScalarType.Float64),
            32,
            fused.Parameters[0].Value.to(ScalarType.Float64),
            fused.Parameters[1].Value.to(ScalarType.Float64),
            1e-5
        );
        if (modulated)
            expected = expected * (1 + scale.reshape(n, channels, 1, 1)) + shift.reshape(n, channels, 1, 1);
        if (silu)
            expected = torch.nn.functional.silu(expected);
        Assert.Equal(x.shape, y.shape);
        Assert.True(ChannelsLast.Is(y));
        Assert.True((y - expected).abs().max().item<double>() < 3e-5);
    }

    [Fact]
    public void Bfloat16_is_read_exactly_and_rounded_once()
    {
        using ComputeScope scope = new();
        using OneNorm fused = new(new ComputePolicy(), 64);
        Tensor x = ChannelsLast.Of(Numbers(2, 64, 9, 11)).to(ScalarType.BFloat16);
        Tensor exact = fused.Norm.Forward(x.to(ScalarType.Float32), silu: true),
            single = fused.Norm.Forward(x, silu: true, dtype: ScalarType.Float32),
            half = fused.Norm.Forward(x, silu: true);
        Assert.True(exact.eq(single).all().item<bool>());
        Assert.Equal(ScalarType.BFloat16, half.dtype);
        // Half a unit of bfloat16's last place, and what the rougher exponential adds before.
        Assert.InRange(
            ((half.to(ScalarType.Float32) - exact).abs() / exact.abs().clamp_min(1e-6f)).max().item<float>(),
            0,
            1.0 / 256 + 2e-4
        );
        Assert.True(half.eq(exact.to(ScalarType.BFloat16)).to(ScalarType.Float32).mean().item<float>() > 0.96);
    }

    [Fact]
    public void The_result_does_not_depend_on_the_number_of_threads()
    {
        using ComputeScope scope = new();
        using OneNorm fused = new(new ComputePolicy(), 32);
        Tensor x = ChannelsLast.Of(Numbers(2, 32, 150, 130));
        int threads = torch.get_num_threads();
        try
        {
            torch.set_num_threads(1);
            Tensor one = fused.Norm.Forward(x, silu: true);
            torch.set_num_threads(3);
            Assert.True(one.eq(fused.Norm.Forward(x, silu: true)).all().item<bool>());
        }
        finally
        {
            torch.set_num_threads(threads);
        }
    }

    [Fact]
    public void Under_gradients_a_differentiable_path_has_the_gradients_of_the_library_operators()
    {
        using ComputeScope scope = new();
        using OneNorm fused = new(new ComputePolicy(), 32),
            plain = new(ComputePolicy.Reference, 32);
        Tensor Gradient(OneNorm network)
        {
            using IDisposable _ = torch.enable_grad();
            Tensor x = ChannelsLast.Of(Numbers(1, 32, 6, 6)).detach().requires_grad_();
            return torch.autograd.grad([network.Norm.Forward(x, silu: true)], [x], [Numbers(1, 32, 6, 6)])[0];
        }
        Tensor expected = Gradient(plain);
        Assert.InRange((Gradient(fused) - expected).abs().max().item<float>() / expected.abs().max().item<float>(), 0, 3e-6);
    }

    public static TheoryData<bool, bool, ScalarType, double> FarMeans()
    {
        TheoryData<bool, bool, ScalarType, double> data = [];
        foreach (bool fused in (bool[])[false, true])
        foreach (bool silu in (bool[])[false, true])
        {
            data.Add(fused, silu, ScalarType.Float32, 10);
            data.Add(fused, silu, ScalarType.Float32, 100);
            data.Add(fused, silu, ScalarType.BFloat16, 10);
        }
        return data;
    }

    [Theory, MemberData(nameof(FarMeans))]
    public void A_mean_far_from_the_deviation_spoils_neither_the_values_nor_the_gradient(
        bool fused,
        bool silu,
        ScalarType dtype,
        double mean
    )
    {
        using ComputeScope scope = new();
        using OneNorm network = new(new ComputePolicy { Fused = fused }, 64);
        Tensor x = (Numbers(2, 64, 40, 33) + mean).to(dtype).to(ScalarType.Float32),
            direction = Numbers(2, 64, 40, 33).flip(3).to(dtype);
        (Tensor Values, Tensor Gradient) Differentiate(Func<Tensor, Tensor> norm, Tensor at)
        {
            using IDisposable _ = torch.enable_grad();
            Tensor leaf = at.detach().requires_grad_(),
                y = norm(leaf);
            return (y.detach(), torch.autograd.grad([y], [leaf], [direction.to(y.dtype)])[0]);
        }
        (Tensor values, Tensor gradient) = Differentiate(
            v =>
            {
                Tensor y = torch.nn.functional.group_norm(
                    v,
                    32,
                    network.Parameters[0].Value.to(ScalarType.Float64),
                    network.Parameters[1].Value.to(ScalarType.Float64),
                    1e-5
                );
                return silu ? torch.nn.functional.silu(y) : y;
            },
            x.to(ScalarType.Float64)
        );
        Tensor given = ChannelsLast.Of(x).to(dtype);
        (Tensor under, Tensor slope) = Differentiate(v => network.Norm.Forward(v, silu: silu), given);
        Tensor plain = network.Norm.Forward(given, silu: silu);
        // bfloat16 results are rounded once, to 8 binary digits; gradients twice.
        double rounding = dtype == ScalarType.BFloat16 ? 1.0 / 256 : 0;
        Assert.InRange(Error(plain, values), 0, 1e-5 + rounding);
        Assert.InRange(Error(under, values), 0, 1e-5 + rounding);
        Assert.InRange(Error(slope, gradient), 0, 1e-5 + 2 * rounding);

        static double Error(Tensor actual, Tensor expected) =>
            (actual.to(ScalarType.Float64) - expected).abs().max().item<double>() / expected.abs().max().item<double>();
    }

    [Fact]
    public void Extreme_values_give_zero_or_themselves()
    {
        using ComputeScope scope = new();
        using OneNorm fused = new(new ComputePolicy(), 32);
        Tensor x = ChannelsLast.Of(Numbers(1, 32, 4, 4)),
            shift = torch.full([1, 32], 500f);
        shift[0, 0] = -500;
        Tensor y = fused.Norm.Forward(x, (torch.zeros(1, 32), shift), silu: true);
        Assert.InRange(y[0, 0].abs().max().item<float>(), 0, 1e-30);
        Assert.InRange(y[0, 1].mean().item<float>(), 499, 501);
    }

    private static Tensor Numbers(params long[] shape) =>
        new PhiloxNoise(3, [.. Enumerable.Range(0, (int)shape[0]).Select(i => new ImageKey((ulong)i))]).Draw(NoiseRole.Start, shape);

    /// <summary>A network that is one norm with uneven weights.</summary>
    private sealed class OneNorm : Network
    {
        public OneNorm(ComputePolicy policy, long channels)
            : base(policy)
        {
            Norm = new GroupNorm(this, "norm", channels);
            foreach (var parameter in Parameters)
                parameter.Value = torch.linspace(0.5, 1.5, channels);
        }

        public GroupNorm Norm { get; }
    }
}
