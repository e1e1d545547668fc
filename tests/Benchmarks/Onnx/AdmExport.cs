using Diffusion.Networks;
using Diffusion.Networks.Layers;

namespace Diffusion.Benchmarks.Onnx;

/// <summary>
/// An ADM UNet as an ONNX graph for pictures of one size, with the operations that PyTorch's exporter writes. Inputs: the picture, and the
/// time embedding after its SiLU.
/// </summary>
internal sealed class AdmExport
{
    private const int Groups = 32;
    private readonly OnnxGraph _graph = new();
    private readonly Dictionary<string, Tensor> _weights;
    private readonly AdmUNetConfig _config;

    private AdmExport(AdmUNet network)
    {
        _config = network.Config;
        _weights = network.Parameters.ToDictionary(parameter => parameter.Name, parameter => parameter.Value);
    }

    /// <summary>Features with their size.</summary>
    private readonly record struct Features(string Name, long Channels, long Height, long Width);

    /// <summary>The file, for networks without classes whose blocks resample and are modulated by scale and shift.</summary>
    public static byte[] Write(AdmUNet network, int height, int width)
    {
        if (network.Config is not { ResblockUpdown: true, UseScaleShiftNorm: true, NumClasses: null })
            throw new NotSupportedException("Only networks like the one that ships can be exported.");
        return new AdmExport(network).Write(height, width);
    }

    private byte[] Write(int height, int width)
    {
        string embedding = _graph.Input("embedding", 1, 4L * _config.ModelChannels);
        Features h = Conv(
            "input_blocks.0.0",
            new(_graph.Input("x", 1, _config.InChannels, height, width), _config.InChannels, height, width)
        );
        Stack<Features> skips = new([h]);
        int block = 1,
            levels = _config.ChannelMult.Count,
            factor = 1;
        for (int level = 0; level < levels; level++)
        {
            for (int i = 0; i < _config.NumResBlocks; i++, block++)
            {
                h = Residual($"input_blocks.{block}.0", h, embedding);
                if (_config.AttentionResolutions.Contains(factor))
                    h = Attention($"input_blocks.{block}.1", h);
                skips.Push(h);
            }
            if (level == levels - 1)
                break;
            skips.Push(h = Residual($"input_blocks.{block++}.0", h, embedding, Resample.Down));
            factor *= 2;
        }
        h = Residual("middle_block.2", Attention("middle_block.1", Residual("middle_block.0", h, embedding)), embedding);
        block = 0;
        for (int level = levels - 1; level >= 0; level--, factor /= 2)
        {
            for (int i = 0; i <= _config.NumResBlocks; i++, block++)
            {
                Features kept = skips.Pop();
                int layer = 0;
                h = Residual(
                    $"output_blocks.{block}.{layer++}",
                    h with
                    {
                        Name = _graph.Add("Concat", [h.Name, kept.Name], ("axis", 1L)),
                        Channels = h.Channels + kept.Channels,
                    },
                    embedding
                );
                if (_config.AttentionResolutions.Contains(factor))
                    h = Attention($"output_blocks.{block}.{layer++}", h);
                if (level > 0 && i == _config.NumResBlocks)
                    h = Residual($"output_blocks.{block}.{layer}", h, embedding, Resample.Up);
            }
        }
        h = Conv("out.2", Norm("out.0", h, silu: true));
        _graph.Output(h.Name, 1, _config.OutChannels, height, width);
        return _graph.ToBytes();
    }

    private Features Residual(string name, Features x, string embedding, Resample resample = Resample.None)
    {
        Features y = Conv($"{name}.in_layers.2", Resized(Norm($"{name}.in_layers.0", x, silu: true), resample));
        string modulation = _graph.Add(
            "Gemm",
            [embedding, Weight($"{name}.emb_layers.1.weight"), Weight($"{name}.emb_layers.1.bias")],
            ("transB", 1L)
        );
        string[] halves = _graph.AddMany(
            "Split",
            [_graph.Add("Reshape", [modulation, _graph.Constant(1, 2 * y.Channels, 1, 1)])],
            2,
            ("axis", 1L)
        );
        y = Conv($"{name}.out_layers.3", Norm($"{name}.out_layers.0", y, silu: true, halves));
        Features skip = Resized(x, resample);
        if (_weights.ContainsKey($"{name}.skip_connection.weight"))
            skip = Conv($"{name}.skip_connection", skip);
        return y with { Name = _graph.Add("Add", [skip.Name, y.Name]) };
    }

    private Features Norm(string name, Features x, bool silu, string[]? modulation = null)
    {
        string grouped = _graph.Add("Reshape", [x.Name, _graph.Constant(1, Groups, x.Channels / Groups * x.Height * x.Width)]);
        string normal = _graph.Add(
            "InstanceNormalization",
            [grouped, _graph.Constant(torch.ones(Groups)), _graph.Constant(torch.zeros(Groups))],
            ("epsilon", 1e-5f)
        );
        string y = _graph.Add("Reshape", [normal, _graph.Constant(1, x.Channels, x.Height, x.Width)]);
        y = _graph.Add("Mul", [y, _graph.Constant(_weights[$"{name}.weight"].reshape(-1, 1, 1))]);
        y = _graph.Add("Add", [y, _graph.Constant(_weights[$"{name}.bias"].reshape(-1, 1, 1))]);
        if (modulation is [string scale, string shift])
        {
            y = _graph.Add("Mul", [y, _graph.Add("Add", [scale, _graph.Constant(torch.ones(1))])]);
            y = _graph.Add("Add", [y, shift]);
        }
        return x with { Name = silu ? _graph.Add("Mul", [y, _graph.Add("Sigmoid", [y])]) : y };
    }

    private Features Conv(string name, Features x)
    {
        long[] shape = _weights[$"{name}.weight"].shape;
        long pad = shape[2] / 2;
        return x with
        {
            Name = _graph.Add(
                "Conv",
                [x.Name, Weight($"{name}.weight"), Weight($"{name}.bias")],
                ("kernel_shape", shape[2..]),
                ("pads", new[] { pad, pad, pad, pad }),
                ("strides", new[] { 1L, 1L })
            ),
            Channels = shape[0],
        };
    }

    private Features Resized(Features x, Resample resample) =>
        resample switch
        {
            Resample.Down => new(
                _graph.Add("AveragePool", [x.Name], ("kernel_shape", new[] { 2L, 2L }), ("strides", new[] { 2L, 2L })),
                x.Channels,
                x.Height / 2,
                x.Width / 2
            ),
            Resample.Up => new(
                _graph.Add(
                    "Resize",
                    [x.Name, "", _graph.Constant(torch.tensor([1f, 1f, 2f, 2f]))],
                    ("mode", "nearest"),
                    ("coordinate_transformation_mode", "asymmetric"),
                    ("nearest_mode", "floor")
                ),
                x.Channels,
                2 * x.Height,
                2 * x.Width
            ),
            _ => x,
        };

    private Features Attention(string name, Features x)
    {
        long tokens = x.Height * x.Width,
            heads = _config.NumHeadChannels == -1 ? _config.NumHeads : x.Channels / _config.NumHeadChannels,
            d = x.Channels / heads;
        string rows = _graph.Add("Reshape", [Norm($"{name}.norm", x, silu: false).Name, _graph.Constant(1, x.Channels, tokens)]);
        string qkv = _graph.Add(
            "Conv",
            [rows, _graph.Constant(_weights[$"{name}.qkv.weight"].reshape(3 * x.Channels, x.Channels, 1)), Weight($"{name}.qkv.bias")],
            ("kernel_shape", new[] { 1L })
        );
        // [heads, 3, d, tokens] in the legacy order, [3, heads, d, tokens] in the other.
        bool headsFirst = !_config.UseNewAttentionOrder;
        string[] parts = _graph.AddMany(
            "Split",
            [_graph.Add("Reshape", [qkv, headsFirst ? _graph.Constant(heads, 3 * d, tokens) : _graph.Constant(3 * heads, d, tokens)])],
            3,
            ("axis", headsFirst ? 1L : 0L)
        );
        string scores = _graph.Add(
            "MatMul",
            [
                _graph.Add("Transpose", [parts[0]], ("perm", new[] { 0L, 2L, 1L })),
                _graph.Add("Mul", [parts[1], _graph.Constant(torch.tensor([(float)(1 / Math.Sqrt(d))]))]),
            ]
        );
        string mixed = _graph.Add(
            "MatMul",
            [parts[2], _graph.Add("Transpose", [_graph.Add("Softmax", [scores], ("axis", 2L))], ("perm", new[] { 0L, 2L, 1L }))]
        );
        string projected = _graph.Add(
            "Conv",
            [
                _graph.Add("Reshape", [mixed, _graph.Constant(1, x.Channels, tokens)]),
                _graph.Constant(_weights[$"{name}.proj_out.weight"].reshape(x.Channels, x.Channels, 1)),
                Weight($"{name}.proj_out.bias"),
            ],
            ("kernel_shape", new[] { 1L })
        );
        return x with
        {
            Name = _graph.Add("Add", [x.Name, _graph.Add("Reshape", [projected, _graph.Constant(1, x.Channels, x.Height, x.Width)])]),
        };
    }

    private string Weight(string name) => _graph.Constant(_weights[name]);
}
