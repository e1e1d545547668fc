using Diffusion.Checkpoints;
using Diffusion.Networks.Layers;
using Diffusion.Runtime;

namespace Diffusion.Networks.MediaPipeFace;

/// <summary>One of MediaPipe's face networks, computed operation by operation from its published graph.</summary>
/// <remarks>
/// Parameters and values carry the names of the published file. The detectors are convolutional throughout: they take any height
/// and width
/// that are multiples of 64, and give one row of boxes and scores per anchor, cell by cell in rows.
/// </remarks>
public sealed class GraphNetwork : Network
{
    private readonly Dictionary<string, Parameter> _byName = [];
    private readonly Dictionary<string, int> _lastUse = [];

    /// <summary>Declares the parameters of a graph.</summary>
    public GraphNetwork(NetworkGraph graph, ComputePolicy? policy = null)
        : base(policy)
    {
        Graph = graph;
        Dictionary<string, long> channels = new() { [graph.Input] = graph.InputChannels };
        for (int i = 0; i < graph.Operations.Count; i++)
        {
            GraphOperation operation = graph.Operations[i];
            channels[operation.Output] = operation.Shape[0];
            foreach (string input in operation.Inputs)
                _lastUse[input] = i;
            long outputs = operation.Shape[0],
                inputs = operation.Kind == "depthwise_conv2d" ? 1 : channels[operation.Inputs[0]];
            Add(operation.Weight, [outputs, inputs, operation.Kernel, operation.Kernel]);
            Add(operation.Bias, [outputs]);
            Add(operation.Slopes, [outputs]);
        }
    }

    /// <summary>What is computed.</summary>
    public NetworkGraph Graph { get; }

    /// <inheritdoc/>
    public override int SizeMultiple => 64;

    /// <summary>Loads <c>NAME.json</c> and <c>NAME.safetensors</c>; the weights are widened to float32.</summary>
    /// <exception cref="CheckpointException">A file is missing, damaged, or does not belong to the other.</exception>
    public static GraphNetwork Load(string folder, string name, ComputePolicy? policy = null)
    {
        GraphNetwork network = new(NetworkGraph.Read(Path.Combine(folder, $"{name}.json")), policy);
        try
        {
            using ICheckpoint weights = Checkpoint.Open(Path.Combine(folder, $"{name}.safetensors"));
            StateDictLoader.Load(network.Parameters, weights);
            network.Arrange();
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>Evaluates the graph.</summary>
    /// <param name="x">[N,3,H,W] float32; borrowed.</param>
    /// <param name="trace">Sees every value by its published name, or null.</param>
    /// <returns>The outputs, in the order of <see cref="NetworkGraph.Outputs"/>; the caller owns them.</returns>
    public Tensor[] Forward(Tensor x, ModuleTrace? trace = null)
    {
        using ComputeScope scope = new();
        Dictionary<string, Tensor> values = new() { [Graph.Input] = ChannelsLast.Of(x) };
        for (int i = 0; i < Graph.Operations.Count; i++)
        {
            GraphOperation operation = Graph.Operations[i];
            Tensor[] inputs = [.. operation.Inputs.Select(name => values[name])];
            bool mayOverwrite = _lastUse[operation.Inputs[0]] == i && trace is null;
            Tensor value = Compute(operation, inputs, mayOverwrite);
            trace?.Invoke(operation.Output, value);
            values[operation.Output] = value;
            foreach (string name in operation.Inputs.Where(name => _lastUse[name] == i && values[name].Handle != value.Handle))
                values[name].Dispose();
        }
        return [.. Graph.Outputs.Select(name => scope.Return(values[name]))];
    }

    private Tensor Compute(GraphOperation operation, Tensor[] inputs, bool mayOverwrite)
    {
        Tensor x = inputs[0];
        return operation.Kind switch
        {
            "conv2d" => Convolve(operation, x, groups: 1),
            "depthwise_conv2d" => Convolve(operation, x, groups: operation.Shape[0]),
            "relu" => mayOverwrite ? x.relu_() : x.relu(),
            "prelu" => torch.nn.functional.prelu(x, Value(operation.Slopes)!),
            "add" => x + inputs[1],
            "max_pool2d" => torch.nn.functional.max_pool2d(x, operation.Kernel, operation.Stride),
            "pad_channels" => torch.nn.functional.pad(x, [0, 0, 0, 0, 0, operation.After]),
            "resize_bilinear" => torch.nn.functional.interpolate(
                x,
                scale_factor: [2, 2],
                mode: torch.InterpolationMode.Bilinear,
                align_corners: false
            ),
            "reshape_nhwc" => ChannelsLast.Rows(x).reshape(x.shape[0], -1, operation.Shape[^1]),
            "concat" => torch.cat(inputs, operation.Axis),
            _ => throw new CheckpointException($"The graph holds the unknown operation \"{operation.Kind}\"", Graph.Name),
        };
    }

    private Tensor Convolve(GraphOperation operation, Tensor x, long groups)
    {
        // Not oneDNN's kernels for single pixels: with several threads, channels last, those for 36 or 40 results compute wrong numbers.
        if (groups == 1 && operation is { Kernel: 1, Stride: 1 } && operation.Padding.All(side => side == 0))
        {
            Tensor weight = Value(operation.Weight)!.flatten(1);
            return torch.nn.functional.linear(x.permute(0, 2, 3, 1), weight, Value(operation.Bias)).permute(0, 3, 1, 2);
        }
        long[] p = operation.Padding;
        bool even = p[0] == p[1] && p[2] == p[3];
        Tensor padded = even ? x : torch.nn.functional.pad(x, [p[2], p[3], p[0], p[1]]);
        Tensor y = torch.nn.functional.conv2d(
            padded,
            Value(operation.Weight)!,
            Value(operation.Bias),
            strides: [operation.Stride, operation.Stride],
            padding: even ? [p[0], p[2]] : [0, 0],
            groups: groups
        );
        if (!even)
            padded.Dispose();
        return y;
    }

    private Tensor? Value(string? name) => name is null ? null : _byName[name].Value;

    private void Add(string? name, long[] shape)
    {
        if (name is not null)
            _byName[name] = Declare(name, shape);
    }
}
