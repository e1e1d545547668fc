using System.Diagnostics;
using Diffusion.Checkpoints;
using Diffusion.Networks;
using Diffusion.Networks.Layers;
using Diffusion.Runtime;

namespace Diffusion.Benchmarks;

/// <summary>
/// Where the time of an ADM UNet goes: its forward pass against its convolutions ("conv": libtorch's, "kernel": as the network computes
/// them) and norms alone, on the shapes of the forward pass. Interleaved, the minimum of several rounds.
/// </summary>
public sealed class NetworkProfile : IDisposable
{
    private readonly List<Piece> _pieces = [];
    private readonly ComputeScope _scope = new();

    private NetworkProfile() { }

    /// <summary>Profiles a network at one size and prints a table; of two, what the second gains over the first as well.</summary>
    public static void Print(IReadOnlyList<AdmUNet> networks, int height, int width, int rounds, bool details)
    {
        NetworkProfile[] profiles = [.. networks.Select(_ => new NetworkProfile())];
        foreach ((NetworkProfile profile, AdmUNet network) in profiles.Zip(networks))
            profile.Collect(network, height, width);
        for (int round = 0; round < rounds; round++)
            foreach (NetworkProfile profile in profiles)
                profile._pieces.ForEach(piece => piece.Measure());
        foreach ((NetworkProfile profile, AdmUNet network) in profiles.Zip(networks))
        {
            Console.WriteLine(
                $"{height}x{width} {network.Policy.NetworkDtype} fused={network.Policy.Fused} threads={torch.get_num_threads()}"
            );
            profile.Print(details);
        }
        if (profiles is [NetworkProfile first, NetworkProfile second])
        {
            double Gain(string kind) => first.Wall(kind) / second.Wall(kind);
            double ownConvolutions =
                (first.Wall("forward") - first.Wall("kernel") + first.Wall("conv"))
                / (second.Wall("forward") - second.Wall("kernel") + second.Wall("conv"));
            Console.WriteLine(
                $"{networks[1].Policy.NetworkDtype} over {networks[0].Policy.NetworkDtype}: forward {Gain("forward"):F2}x, its "
                    + $"convolutions {Gain("kernel"):F2}x: {Gain("forward") / Gain("kernel"):P0}"
            );
            Console.WriteLine(
                $"  were both to use libtorch's convolutions: forward {ownConvolutions:F2}x, convolutions {Gain("conv"):F2}x: "
                    + $"{ownConvolutions / Gain("conv"):P0}"
            );
        }
        foreach (NetworkProfile profile in profiles)
            profile.Dispose();
    }

    private double Wall(string kind) => _pieces.Where(piece => piece.Kind == kind).Sum(piece => piece.Wall);

    private void Print(bool details)
    {
        Piece forward = _pieces.Single(piece => piece.Kind == "forward");
        foreach (var kind in _pieces.GroupBy(piece => piece.Kind))
        {
            double wall = kind.Sum(piece => piece.Wall),
                cpu = kind.Sum(piece => piece.Cpu),
                work = kind.Sum(piece => piece.Work);
            Console.WriteLine(
                $"  {kind.Key, -8} wall {wall, 9:F2} ms {100 * wall / forward.Wall, 5:F1} %   cpu {cpu, 9:F2} ms "
                    + $"{100 * cpu / forward.Cpu, 5:F1} %{Rate(work, wall)}"
            );
            if (details)
                foreach (Piece piece in kind.Where(p => p.Kind != "forward"))
                    Console.WriteLine($"    {piece.Name, -64} {piece.Wall, 8:F3} ms {piece.Cpu, 8:F3} ms{Rate(piece.Work, piece.Wall)}");
        }
    }

    private static string Rate(double work, double wall) => work > 0 ? $"  {2 * work / wall / 1e6, 6:F0} GFLOP/s" : "";

    private void Collect(AdmUNet network, int height, int width)
    {
        Tensor x = torch.randn(1, 3, height, width),
            t = torch.tensor([100f]);
        Dictionary<string, long[]> shapes = Shapes(network, x, t);
        _pieces.Add(new Piece("forward", "", 0, () => network.Forward(x, t)));
        foreach (Layer layer in Convolutions(network, shapes))
        {
            Tensor input = ChannelsLast.Of(torch.randn(layer.Input).to(layer.Weight.dtype)),
                bias = torch.zeros(layer.Weight.shape[0], dtype: layer.Weight.dtype);
            _pieces.Add(new Piece("conv", layer.Name, layer.Work, () => layer.Run(input, layer.Weight, bias)));
            Convolution own = new(network.Policy with { NetworkDtype = layer.Weight.dtype }, layer.Weight.shape, (int)layer.Stride);
            _pieces.Add(new Piece("kernel", layer.Name, layer.Work, () => own.Layer.Forward(input)));
        }
        foreach (
            Parameter weight in network.Parameters.Where(p =>
                p.Shape.Length == 1 && p.Name.EndsWith("_layers.0.weight", StringComparison.Ordinal)
            )
        )
        {
            string block = weight.Name[..weight.Name.LastIndexOf('.', weight.Name.Length - "_layers.0.weight".Length - 1)];
            long[] shape = shapes[block];
            Norms norms = new(network.Policy, weight.Shape[0]);
            Tensor input = ChannelsLast.Of(torch.randn(1, weight.Shape[0], shape[2], shape[3]).to(network.Policy.NetworkDtype)),
                scale = torch.randn(1, weight.Shape[0]);
            _pieces.Add(
                new Piece("norm", $"{weight.Name} {weight.Shape[0]} {shape[2]}x{shape[3]}", 0, () =>
                    norms.Norm.Forward(input, (scale, scale), silu: true)
                )
            );
        }
        CollectCopies(network, shapes);
    }

    /// <summary>The shape of every module's output.</summary>
    internal static Dictionary<string, long[]> Shapes(AdmUNet network, Tensor x, Tensor t)
    {
        Dictionary<string, long[]> shapes = [];
        network
            .Forward(x, t, trace: (module, output) =>
            {
                if (output.dim() == 4)
                    shapes[module] = output.shape;
            })
            .Dispose();
        return shapes;
    }

    /// <summary>The network's convolutions.</summary>
    internal static IEnumerable<Layer> Convolutions(AdmUNet network, Dictionary<string, long[]> shapes)
    {
        foreach (Parameter weight in network.Parameters.Where(p => p.Shape.Length == 4))
        {
            string name = weight.Name[..^".weight".Length];
            if (Owner(name, shapes) is not { } shape)
                continue;
            int stride = name.EndsWith(".op", StringComparison.Ordinal) ? 2 : 1,
                patch = name == "out.2" ? network.Config.PatchSize : 1;
            (long height, long width) = (shape[2] / patch, shape[3] / patch);
            yield return new Layer(
                $"{name} [{string.Join(",", weight.Shape)}] {height}x{width} {weight.Value.dtype}",
                weight.Value,
                [shape[0], weight.Shape[1], height * stride, width * stride],
                stride,
                (double)weight.Shape.Aggregate(shape[0], (a, b) => a * b) * height * width
            );
        }
    }

    /// <summary>One convolution.</summary>
    internal sealed record Layer(string Name, Tensor Weight, long[] Input, long Stride, double Work)
    {
        public Tensor Run(Tensor x, Tensor weight, Tensor bias) =>
            torch.nn.functional.conv2d(x, weight, bias, strides: [Stride, Stride], padding: [weight.shape[2] / 2, weight.shape[2] / 2]);
    }

    /// <summary>What moves features about: skips joined on the way up, sums at the end of residual blocks, halving and doubling.</summary>
    private void CollectCopies(AdmUNet network, Dictionary<string, long[]> shapes)
    {
        Tensor Features(long[] shape, long channels) =>
            ChannelsLast.Of(torch.randn(1, channels, shape[2], shape[3]).to(network.Policy.NetworkDtype));
        foreach (
            Parameter weight in network.Parameters.Where(p =>
                p.Shape.Length == 4 && p.Name.EndsWith("in_layers.2.weight", StringComparison.Ordinal)
            )
        )
        {
            string block = weight.Name[..^".in_layers.2.weight".Length];
            long[] shape = shapes[block];
            Tensor sum = Features(shape, shape[1]),
                addend = Features(shape, shape[1]);
            _pieces.Add(new Piece("sum", $"{block} {shape[1]} {shape[2]}x{shape[3]}", 0, () => sum.add_(addend).alias()));
            if (weight.Shape[1] == shape[1] || !block.StartsWith("output", StringComparison.Ordinal))
                continue;
            Tensor below = Features(shape, weight.Shape[1] / 2),
                kept = Features(shape, weight.Shape[1] - weight.Shape[1] / 2);
            _pieces.Add(new Piece("join", $"{block} {weight.Shape[1]} {shape[2]}x{shape[3]}", 0, () => torch.cat([below, kept], dim: 1)));
        }
        for (int i = 1; shapes.TryGetValue($"input_blocks.{i}", out long[]? shape); i++)
        {
            long[] before = shapes[$"input_blocks.{i - 1}"];
            if (before[2] == shape[2])
                continue;
            Tensor large = Features(before, before[1]),
                small = Features(shape, before[1]);
            _pieces.Add(new Piece("resample", $"half {before[1]} {before[2]}x{before[3]}", 0, () => Resampling.Halve(large)));
            _pieces.Add(new Piece("resample", $"half {before[1]} {before[2]}x{before[3]}", 0, () => Resampling.Halve(large)));
            _pieces.Add(new Piece("resample", $"double {before[1]} {shape[2]}x{shape[3]}", 0, () => Resampling.Double(small)));
            _pieces.Add(new Piece("resample", $"double {before[1]} {shape[2]}x{shape[3]}", 0, () => Resampling.Double(small)));
        }
    }

    /// <summary>The shape of the output of the innermost module that a layer belongs to.</summary>
    private static long[]? Owner(string name, Dictionary<string, long[]> shapes)
    {
        while (true)
        {
            if (shapes.TryGetValue(name, out long[]? shape))
                return shape;
            int dot = name.LastIndexOf('.');
            if (dot < 0)
                return null;
            name = name[..dot];
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _scope.Dispose();

    /// <summary>A network that is one norm.</summary>
    private sealed class Norms : Network
    {
        public Norms(ComputePolicy policy, long channels)
            : base(policy)
        {
            Norm = new GroupNorm(this, "norm", channels);
            Initialize(1);
        }

        public GroupNorm Norm { get; }
    }

    /// <summary>A network that is one convolution, computed as in any other: by our kernel where that is the faster one.</summary>
    private sealed class Convolution : Network
    {
        public Convolution(ComputePolicy policy, long[] weight, int stride)
            : base(policy)
        {
            Layer = new Conv2d(this, "conv", weight[1], weight[0], (int)weight[2], stride);
            Initialize(1);
        }

        public Conv2d Layer { get; }
    }

    private sealed class Piece(string kind, string name, double work, Func<Tensor> run)
    {
        public string Kind => kind;
        public string Name => name;
        public double Work => work;
        public double Wall { get; private set; } = double.PositiveInfinity;

        /// <summary>Processor time: what counts on a machine that others use too.</summary>
        public double Cpu { get; private set; } = double.PositiveInfinity;

        public void Measure()
        {
            using IDisposable noGrad = torch.no_grad();
            run().Dispose();
            TimeSpan cpu = Environment.CpuUsage.TotalTime;
            long start = Stopwatch.GetTimestamp();
            run().Dispose();
            Wall = Math.Min(Wall, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            Cpu = Math.Min(Cpu, (Environment.CpuUsage.TotalTime - cpu).TotalMilliseconds);
        }
    }
}
