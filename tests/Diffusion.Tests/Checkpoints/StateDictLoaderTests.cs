using Diffusion.Checkpoints;
using Diffusion.Runtime;

namespace Diffusion.Tests.Checkpoints;

public sealed class StateDictLoaderTests
{
    private static readonly (string, long[])[] Weights =
    [
        ("conv.weight", [4, 3, 3, 3]),
        ("conv.bias", [4]),
        ("attn.qkv.weight", [12, 4, 1]),
        ("norm.weight", [4]),
    ];

    [Fact]
    public void Parameters_get_their_dtype_and_norms_stay_float32()
    {
        Parameter[] network = Network();
        LoadReport report = StateDictLoader.Load(network, new MemoryCheckpoint(Weights), ScalarType.BFloat16);
        Assert.True(report.Fits);
        Assert.Equal(4, report.Found);
        Assert.Equal(ScalarType.BFloat16, network[0].Value.dtype);
        Assert.Equal(ScalarType.Float32, network[3].Value.dtype);
        Dispose(network);
    }

    [Fact]
    public void Attention_weights_load_with_one_two_or_no_kernel_dimensions()
    {
        foreach (long[] shape in new long[][] { [12, 4], [12, 4, 1], [12, 4, 1, 1] })
        {
            Parameter[] network = Network();
            StateDictLoader.Load(
                network,
                new MemoryCheckpoint([.. Weights.Where(weight => weight.Item1 != "attn.qkv.weight"), ("attn.qkv.weight", shape)])
            );
            Assert.Equal([12, 4, 1], network[2].Value.shape);
            Dispose(network);
        }
    }

    [
        Theory,
        InlineData("module."),
        InlineData("model."),
        InlineData("ema."),
        InlineData("state_dict."),
        InlineData("params_ema."),
        InlineData("state_dict.model.module.")
    ]
    public void Prefixes_are_found(string prefix)
    {
        Parameter[] network = Network();
        MemoryCheckpoint file = new([.. Weights.Select(weight => (prefix + weight.Item1, weight.Item2)), ("optimizer.0.exp_avg", [4])]);
        LoadReport report = StateDictLoader.Load(network, file);
        Assert.Equal(prefix, report.Prefix);
        Assert.Equal(1, report.Ignored);
        Dispose(network);
    }

    [
        Theory,
        InlineData("params.", "params_ema."),
        InlineData("", "ema."),
        InlineData("model.", "model_ema."),
        InlineData("state_dict.", "ema_state_dict.")
    ]
    public void Averaged_weights_are_preferred_and_it_is_said(string raw, string averaged)
    {
        Parameter[] network = Network();
        IEnumerable<(string, long[])> Below(string prefix) => Weights.Select(weight => (prefix + weight.Item1, weight.Item2));
        LoadReport report = StateDictLoader.Load(network, new MemoryCheckpoint([.. Below(raw), .. Below(averaged)]));
        Assert.Equal(averaged, report.Prefix);
        Assert.Contains("averaged (EMA)", Assert.Single(report.Notes));
        Dispose(network);
    }

    [Fact]
    public void Missing_surplus_and_misshapen_tensors_are_all_reported_with_the_nearest_name()
    {
        MemoryCheckpoint file = new([
            ("conv.weight", [4, 3, 5, 5]),
            ("conv.bias", [4]),
            ("attn.qkv_proj.weight", [12, 4, 1]),
            ("norm.weight", [4]),
            ("quite_other", [1]),
        ]);
        LoadReport report = StateDictLoader.Compare(Network(), file);
        Assert.False(report.Fits);
        Assert.Equal(["attn.qkv.weight"], report.Missing);
        Assert.Equal([("attn.qkv_proj.weight", "attn.qkv.weight"), ("quite_other", null)], report.Extra);
        Assert.Equal("conv.weight is [4,3,5,5], needed is [4,3,3,3]", Assert.Single(report.Shapes).ToString());
        CheckpointException error = Assert.Throws<CheckpointException>(() => StateDictLoader.Load(Network(), file));
        foreach (string word in new[] { "1 missing (attn.qkv.weight)", "nearest is attn.qkv.weight", "1 of another shape" })
            Assert.Contains(word, error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void A_transposed_weight_is_not_taken_for_a_1x1_kernel() =>
        Assert.Throws<CheckpointException>(() =>
            StateDictLoader.Load(
                Network(),
                new MemoryCheckpoint([.. Weights.Where(weight => weight.Item1 != "attn.qkv.weight"), ("attn.qkv.weight", [4, 12, 1])])
            )
        );

    [Theory, InlineData(double.NaN), InlineData(double.PositiveInfinity)]
    public void Weights_that_are_not_finite_are_refused(double value) =>
        Assert.Contains(
            "NaN or infinity",
            Assert.Throws<CheckpointException>(() => StateDictLoader.Load(Network(), new MemoryCheckpoint(Weights, value))).Message
        );

    [Fact]
    public void Weights_that_float16_cannot_hold_are_refused() =>
        Assert.Contains(
            "as float16",
            Assert
                .Throws<CheckpointException>(() => StateDictLoader.Load(Network(), new MemoryCheckpoint(Weights, 1e6), ScalarType.Float16))
                .Message
        );

    [Fact]
    public void Weights_whose_sum_overflows_but_that_are_finite_load()
    {
        Parameter[] network = Network();
        StateDictLoader.Load(network, new MemoryCheckpoint(Weights, 60000), ScalarType.Float16);
        Dispose(network);
    }

    [Fact]
    public void Loading_leaks_no_tensor_beyond_the_parameters()
    {
        Parameter[] network = Network();
        MemoryCheckpoint file = new(Weights);
        StateDictLoader.Load(network, file, ScalarType.BFloat16);
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        for (int i = 0; i < 10; i++)
            StateDictLoader.Load(network, file, ScalarType.BFloat16);
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        Dispose(network);
    }

    private static Parameter[] Network() =>
        [
            new("conv.weight", [4, 3, 3, 3]),
            new("conv.bias", [4]),
            new("attn.qkv.weight", [12, 4, 1]),
            new("norm.weight", [4], keepFloat32: true),
        ];

    private static void Dispose(Parameter[] network)
    {
        foreach (Parameter parameter in network)
            parameter.Dispose();
    }
}
