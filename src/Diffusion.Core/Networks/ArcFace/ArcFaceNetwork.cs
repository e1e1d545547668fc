using Diffusion.Checkpoints;
using Diffusion.Networks.Layers;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>
/// The face recogniser of Deng et al., "ArcFace" (2019): the improved residual network of insightface's arcface_torch, in its parameter
/// names. Faces of one person have embeddings of one direction.
/// </summary>
public sealed class ArcFaceNetwork : Network
{
    /// <summary>Side of the published input.</summary>
    public const int InputSize = 112;

    private const double Epsilon = 1e-5;
    private const int Halvings = 4;
    private readonly Conv2d _in;
    private readonly BatchNorm _inNorm,
        _outNorm,
        _features;
    private readonly Parameter _inSlope;
    private readonly Block[] _blocks;
    private readonly Linear _out;

    /// <summary>Declares the parameters.</summary>
    /// <param name="blocks">Blocks of the four levels: 3, 4, 14, 3 in iresnet50.</param>
    /// <param name="width">Channels of the first level: 64.</param>
    /// <param name="embedding">Width of the result: 512.</param>
    /// <param name="side">Side of the input: 112.</param>
    /// <param name="policy">How it computes.</param>
    public ArcFaceNetwork(
        IReadOnlyList<int> blocks,
        int width = 64,
        int embedding = 512,
        int side = InputSize,
        ComputePolicy? policy = null
    )
        : base(policy)
    {
        Side = side;
        _in = new Conv2d(this, "conv1", 3, width, bias: false);
        _inNorm = new BatchNorm(this, "bn1", width, Epsilon);
        _inSlope = Declare("prelu.weight", [width], Init.FanIn(16));
        List<Block> all = [];
        long inputs = width;
        for (int level = 0; level < blocks.Count; level++)
        for (int i = 0; i < blocks[level]; i++)
        {
            long outputs = (long)width << level;
            all.Add(new Block(this, $"layer{level + 1}.{i}", inputs, outputs, i == 0 ? 2 : 1));
            inputs = outputs;
        }
        _blocks = [.. all];
        _outNorm = new BatchNorm(this, "bn2", inputs, Epsilon);
        long rest = side >> Halvings;
        _out = new Linear(this, "fc", inputs * rest * rest, embedding);
        _features = new BatchNorm(this, "features", embedding, Epsilon);
    }

    /// <summary>Side of the input.</summary>
    public int Side { get; }

    /// <summary>Loads a published file; the sizes are taken from its shapes.</summary>
    /// <exception cref="CheckpointException">The file is missing, or it is no such network.</exception>
    public static ArcFaceNetwork Load(string path)
    {
        using ICheckpoint file = Checkpoint.Open(path);
        ShapeTable shapes = new(file.Tensors.Select(t => KeyValuePair.Create(t.Key, (IReadOnlyList<long>)t.Value.Shape)), "");
        int[] blocks = [.. Enumerable.Range(1, 4).Select(level => shapes.Count($"layer{level}"))];
        if (
            blocks.Any(count => count == 0)
            || shapes.Size("conv1.weight", 0) is not { } width
            || shapes.Size("fc.weight", 0) is not { } embedding
            || shapes.Size("fc.weight", 1) is not { } flat
        )
            throw new CheckpointException(
                "The file holds no ArcFace network",
                path,
                "Give a backbone of insightface's arcface_torch, such as iresnet50's"
            );
        int rest = (int)Math.Sqrt(flat / (width << 3));
        ArcFaceNetwork network = new(blocks, width, embedding, rest << Halvings);
        using ICheckpoint needed = new CheckpointView(file, "", name => !name.EndsWith(".num_batches_tracked", StringComparison.Ordinal));
        NetworkWeights.Fill(network, needed);
        return network;
    }

    /// <summary>Embeds faces. Differentiable when gradients are on.</summary>
    /// <param name="x">[N,3,side,side] float32 on [-1,1], RGB, borrowed.</param>
    /// <returns>[N,embedding]; the caller owns it.</returns>
    public Tensor Forward(Tensor x)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor h = Slope(_inNorm.Forward(_in.Forward(x)), _inSlope);
        foreach (Block block in _blocks)
            h = block.Forward(h);
        Tensor flat = _out.Forward(_outNorm.Forward(h).flatten(1));
        return _features.Forward(flat.unsqueeze(-1).unsqueeze(-1)).flatten(1).MoveToOuterDisposeScope();
    }

    private static Tensor Slope(Tensor x, Parameter slope) => torch.nn.functional.prelu(x, slope.Value);

    /// <summary>x + norm(conv(prelu(norm(conv(norm(x)))))).</summary>
    private sealed class Block(Network network, string name, long inputs, long outputs, int stride)
    {
        private readonly BatchNorm _first = new(network, $"{name}.bn1", inputs, Epsilon);
        private readonly Conv2d _in = new(network, $"{name}.conv1", inputs, outputs, bias: false);
        private readonly BatchNorm _second = new(network, $"{name}.bn2", outputs, Epsilon);
        private readonly Parameter _slope = network.Declare($"{name}.prelu.weight", [outputs], Init.FanIn(16));
        private readonly Conv2d _out = new(network, $"{name}.conv2", outputs, outputs, stride: stride, bias: false);
        private readonly BatchNorm _third = new(network, $"{name}.bn3", outputs, Epsilon);
        private readonly Conv2d? _skip =
            stride == 1 && inputs == outputs
                ? null
                : new Conv2d(network, $"{name}.downsample.0", inputs, outputs, kernel: 1, stride: stride, bias: false);
        private readonly BatchNorm? _skipNorm =
            stride == 1 && inputs == outputs ? null : new BatchNorm(network, $"{name}.downsample.1", outputs, Epsilon);

        public Tensor Forward(Tensor x)
        {
            Tensor h = Slope(_second.Forward(_in.Forward(_first.Forward(x))), _slope);
            Tensor y = _third.Forward(_out.Forward(h));
            return y + (_skip is null ? x : _skipNorm!.Forward(_skip.Forward(x)));
        }
    }
}
