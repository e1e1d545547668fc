namespace Diffusion.Networks.Layers;

/// <summary>3x3 convolutions one after another with ReLU between them: the flat sequences of KAIR's denoisers.</summary>
public sealed class ConvolutionStack
{
    private const double Epsilon = 1e-4;
    private readonly List<(string Name, Conv2d Convolution, (string Name, BatchNorm Layer)? Norm)> _layers = [];

    /// <summary>Declares the convolutions <c>NAME.N</c> under their positions in the sequence.</summary>
    /// <param name="network">Where to declare them.</param>
    /// <param name="name">Published name of the sequence.</param>
    /// <param name="inputs">Channels of the first input.</param>
    /// <param name="width">Channels between the convolutions.</param>
    /// <param name="outputs">Channels of the last output.</param>
    /// <param name="dilations">Pixels between the taps of each convolution, of which there are two at least.</param>
    /// <param name="numbering">Which positions the convolutions have.</param>
    public ConvolutionStack(
        Network network,
        string name,
        long inputs,
        long width,
        long outputs,
        IReadOnlyList<int> dilations,
        StackNumbering numbering = StackNumbering.Plain
    )
    {
        int last = dilations.Count - 1;
        for (int i = 0; i <= last; i++)
        {
            bool first = i == 0,
                end = i == last;
            string own = $"{name}.{Position(i, numbering)}",
                norm = $"{name}.{Position(i, numbering) + 1}";
            Conv2d convolution = new(
                network,
                own,
                first ? inputs : width,
                end ? outputs : width,
                keepFloat32: first || end,
                result: first ? network.Policy.NetworkDtype : null,
                dilation: dilations[i]
            );
            bool normed = numbering == StackNumbering.BatchNorm && !first && !end;
            _layers.Add((own, convolution, normed ? (norm, new BatchNorm(network, norm, width, Epsilon)) : null));
        }
    }

    /// <summary>The place of a convolution in the sequence.</summary>
    /// <param name="index">0 for the first convolution.</param>
    /// <param name="numbering">How they are numbered.</param>
    public static int Position(int index, StackNumbering numbering) =>
        index == 0 ? 0
        : numbering == StackNumbering.Plain ? 2 * index
        : 3 * index - 1;

    /// <summary>Computes the sequence.</summary>
    /// <param name="x">[N,inputs,H,W] float32, borrowed.</param>
    /// <param name="trace">Told what convolutions and norms give, before ReLU.</param>
    /// <returns>[N,outputs,H,W] float32; the caller owns it.</returns>
    public Tensor Forward(Tensor x, ModuleTrace? trace = null)
    {
        Tensor h = ChannelsLast.Of(x);
        foreach ((string name, Conv2d convolution, (string Name, BatchNorm Layer)? norm) in _layers)
        {
            bool end = name == _layers[^1].Name;
            h = Step(h, v => convolution.Forward(end ? v.to(ScalarType.Float32) : v), name, trace);
            if (norm is var (normName, layer))
                h = Step(h, layer.Forward, normName, trace);
            if (!end)
                h = Step(h, v => torch.nn.functional.relu(v), null, trace);
        }
        return h;
    }

    private static Tensor Step(Tensor before, Func<Tensor, Tensor> compute, string? name, ModuleTrace? trace)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using (before)
        {
            Tensor after = compute(before);
            if (name is not null)
                trace?.Invoke(name, after);
            return after.MoveToOuterDisposeScope();
        }
    }
}

/// <summary>How the convolutions of a <see cref="ConvolutionStack"/> are numbered.</summary>
public enum StackNumbering
{
    /// <summary>Every second place: 0, 2, 4, ...</summary>
    Plain,

    /// <summary>0, then every third place (2, 5, 8, ...), each but the first and the last followed by a batch normalisation.</summary>
    BatchNorm,

    /// <summary>As with batch normalisations, which were merged into the convolutions: their places are empty.</summary>
    Merged,
}
