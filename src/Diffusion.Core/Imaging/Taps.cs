namespace Diffusion.Imaging;

/// <summary>A sparse linear map along one dimension: output o is the weighted sum of <see cref="PerOutput"/> input samples.</summary>
/// <remarks>
/// y_o = sum_t Weights[o,t] x_{Indices[o,t]}. Nothing dense: memory and time grow with outputs times taps. Immutable; may be used by
/// several threads.
/// </remarks>
public sealed class Taps
{
    private readonly Lazy<Taps> _transposed;

    /// <summary>A table.</summary>
    /// <param name="inputs">Input length.</param>
    /// <param name="outputs">Output length.</param>
    /// <param name="indices">[outputs, k] row by row, each 0..inputs-1.</param>
    /// <param name="weights">[outputs, k] row by row.</param>
    /// <exception cref="ArgumentException">The tables disagree in size or an index is out of range.</exception>
    public Taps(int inputs, int outputs, int[] indices, double[] weights)
    {
        if (inputs < 1 || outputs < 1 || indices.Length == 0 || indices.Length != weights.Length || indices.Length % outputs != 0)
            throw new ArgumentException(
                $"A tap table for {outputs} outputs of {inputs} inputs cannot have {indices.Length} indices and {weights.Length} weights."
            );
        foreach (int index in indices)
            if (index < 0 || index >= inputs)
                throw new ArgumentException($"Tap index {index} is outside 0..{inputs - 1}.", nameof(indices));
        (Inputs, Outputs, PerOutput, Indices, Weights) = (inputs, outputs, indices.Length / outputs, indices, weights);
        _transposed = new(Transpose);
    }

    /// <summary>Input length.</summary>
    public int Inputs { get; }

    /// <summary>Output length.</summary>
    public int Outputs { get; }

    /// <summary>k: taps of one output. Outputs with fewer have zero weights.</summary>
    public int PerOutput { get; }

    /// <summary>[Outputs, PerOutput], row by row.</summary>
    public IReadOnlyList<int> Indices { get; }

    /// <summary>[Outputs, PerOutput], row by row.</summary>
    public IReadOnlyList<double> Weights { get; }

    /// <summary>The adjoint map, as taps.</summary>
    public Taps Transposed => _transposed.Value;

    /// <summary>
    /// Taps from one function per output. Columns that are zero throughout are dropped; taps beyond the picture follow <paramref
    /// name="edges"/>.
    /// </summary>
    /// <param name="inputs">Input length.</param>
    /// <param name="outputs">Output length.</param>
    /// <param name="perOutput">Taps per output.</param>
    /// <param name="edges">Beyond the picture.</param>
    /// <param name="row">Fills the weights of output o and returns the index of its first tap.</param>
    internal static Taps Build(int inputs, int outputs, int perOutput, EdgeMode edges, RowBuilder row)
    {
        int[] indices = new int[checked(outputs * perOutput)];
        double[] weights = new double[indices.Length];
        for (int o = 0; o < outputs; o++)
        {
            Span<double> rowWeights = weights.AsSpan(o * perOutput, perOutput);
            long first = row(o, rowWeights);
            for (int t = 0; t < perOutput; t++)
            {
                int index = edges.Resolve(first + t, inputs);
                if (index < 0)
                    rowWeights[t] = 0;
                indices[o * perOutput + t] = Math.Max(index, 0);
            }
        }
        return Trimmed(inputs, outputs, perOutput, indices, weights);
    }

    /// <summary>Applies the map along one dimension.</summary>
    /// <param name="x">Any shape and floating dtype, with <see cref="Inputs"/> samples along <paramref name="dim"/>; borrowed.</param>
    /// <param name="dim">The dimension; negative counts from the end.</param>
    /// <returns>The same shape with <see cref="Outputs"/> samples; the caller owns it.</returns>
    /// <exception cref="ArgumentException">Another length.</exception>
    public Tensor Apply(Tensor x, int dim)
    {
        if (dim < 0)
            dim += (int)x.dim();
        if (x.shape[dim] != Inputs)
            throw new ArgumentException($"The taps expect {Inputs} samples along dimension {dim}, not {x.shape[dim]}.", nameof(x));
        using DisposeScope scope = torch.NewDisposeScope();
        long[] broadcast = [Outputs, .. Enumerable.Repeat(1L, (int)x.dim() - 1 - dim)];
        Tensor? sum = null;
        for (int t = 0; t < PerOutput; t++)
        {
            using DisposeScope step = torch.NewDisposeScope();
            Tensor index = torch.tensor(Column(Indices, t), device: x.device);
            Tensor weight = torch.tensor(Column(Weights, t), dtype: x.dtype, device: x.device).reshape(broadcast);
            Tensor term = x.index_select(dim, index).mul_(weight);
            if (sum is null)
                sum = term.MoveToOuterDisposeScope();
            else
                sum.add_(term);
        }
        return sum!.MoveToOuterDisposeScope();
    }

    private T[] Column<T>(IReadOnlyList<T> table, int t)
    {
        T[] column = new T[Outputs];
        for (int o = 0; o < Outputs; o++)
            column[o] = table[o * PerOutput + t];
        return column;
    }

    private static Taps Trimmed(int inputs, int outputs, int perOutput, int[] indices, double[] weights)
    {
        int[] kept = [.. Enumerable.Range(0, perOutput).Where(t => Enumerable.Range(0, outputs).Any(o => weights[o * perOutput + t] != 0))];
        if (kept.Length == perOutput)
            return new Taps(inputs, outputs, indices, weights);
        if (kept.Length == 0)
            kept = [0];
        int[] keptIndices = new int[outputs * kept.Length];
        double[] keptWeights = new double[outputs * kept.Length];
        for (int o = 0; o < outputs; o++)
        for (int t = 0; t < kept.Length; t++)
        {
            keptIndices[o * kept.Length + t] = indices[o * perOutput + kept[t]];
            keptWeights[o * kept.Length + t] = weights[o * perOutput + kept[t]];
        }
        return new Taps(inputs, outputs, keptIndices, keptWeights);
    }

    private Taps Transpose()
    {
        List<(int Output, double Weight)>[] readers = new List<(int, double)>[Inputs];
        for (int i = 0; i < Inputs; i++)
            readers[i] = [];
        for (int o = 0; o < Outputs; o++)
        for (int t = 0; t < PerOutput; t++)
        {
            double weight = Weights[o * PerOutput + t];
            List<(int Output, double Weight)> list = readers[Indices[o * PerOutput + t]];
            if (weight == 0)
                continue;
            // Mirrored taps of one output may read the same sample twice.
            if (list.Count > 0 && list[^1].Output == o)
                list[^1] = (o, list[^1].Weight + weight);
            else
                list.Add((o, weight));
        }
        int longest = Math.Max(1, readers.Max(list => list.Count));
        int[] indices = new int[checked(Inputs * longest)];
        double[] weights = new double[indices.Length];
        for (int i = 0; i < Inputs; i++)
        for (int t = 0; t < readers[i].Count; t++)
            (indices[i * longest + t], weights[i * longest + t]) = readers[i][t];
        return new Taps(Outputs, Inputs, indices, weights);
    }

    /// <summary>Fills the weights of one output and returns the index of its first tap.</summary>
    internal delegate long RowBuilder(int output, Span<double> weights);
}
