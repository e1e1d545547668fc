using System.Numerics;
using System.Runtime.InteropServices;

namespace Diffusion.Training;

/// <summary>What becomes of the gradients of a step's parts: their sum, always in the same order, and one step of the optimiser.</summary>
internal sealed class GradientStep(WorkerTeam team, TrainingState state, TrainingSettings settings) : IDisposable
{
    private const int Chunk = 1 << 16;
    private readonly WorkerTeam _team = team;
    private readonly TrainingState _state = state;
    private readonly TrainingSettings _settings = settings;
    private readonly FlatTensor _gradient = new(state.Layout.Length);

    /// <summary>The weights that are computed in the network's dtype, in it; the caller owns them.</summary>
    public Tensor LowPrecisionWeights()
    {
        using Tensor part = _state.Weights.Tensor.narrow(0, _state.Layout.FloatLength, _state.Layout.Length - _state.Layout.FloatLength);
        return part.to(_settings.Policy.NetworkDtype, copy: true).DetachFromDisposeScope();
    }

    /// <summary>Adds the parts' gradients, always in the same order, and returns the norm of the sum.</summary>
    public double Add(PartGradient[] gradients)
    {
        int split = (int)_state.Layout.FloatLength,
            total = (int)_state.Layout.Length,
            chunks = (total + Chunk - 1) / Chunk;
        double[] squares = new double[chunks];
        _team.Run(chunks, (_, chunk) =>
        {
            int from = chunk * Chunk,
                to = Math.Min(total, from + Chunk);
            Span<float> sum = _gradient.Span[from..to];
            for (int part = 0; part < gradients.Length; part++)
            {
                Span<float> floats = Values(gradients[part].Floats),
                    low = Values(gradients[part].Low);
                AddTo(sum[..Math.Clamp(split - from, 0, sum.Length)], floats[Math.Min(from, split)..], part == 0);
                AddTo(sum[Math.Clamp(split - from, 0, sum.Length)..], low[Math.Max(0, from - split)..], part == 0);
            }
            squares[chunk] = SumOfSquares(sum);
        });
        return Math.Sqrt(squares.Sum());
    }

    /// <summary>One step of the optimiser, and of the averages where they are due.</summary>
    /// <param name="step">Its number.</param>
    /// <param name="norm">The gradient's norm.</param>
    public void Apply(long step, double norm)
    {
        int total = (int)_state.Layout.Length,
            chunks = (total + Chunk - 1) / Chunk;
        double rate = _state.Rate.At(step),
            scale = Math.Min(1, _settings.ClipNorm / Math.Max(norm, 1e-12));
        _team.Run(chunks, (_, chunk) =>
        {
            int from = chunk * Chunk,
                to = Math.Min(total, from + Chunk);
            Span<float> weights = _state.Weights.Span[from..to];
            _settings.Optimizer.Update(
                step,
                rate,
                scale,
                _gradient.Span[from..to],
                weights,
                _state.First.Span[from..to],
                _state.Second.Span[from..to]
            );
            if (!Ema.IsDue(step))
                return;
            _settings.ShortAverage.Update(step, _state.Short.Span[from..to], weights);
            _settings.LongAverage.Update(step, _state.Long.Span[from..to], weights);
        });
    }

    private static Span<float> Values(Tensor t) => MemoryMarshal.Cast<byte, float>(t.bytes);

    private static void AddTo(Span<float> sum, ReadOnlySpan<float> values, bool set)
    {
        if (set)
        {
            values[..sum.Length].CopyTo(sum);
            return;
        }
        int i = 0;
        for (int width = Vector<float>.Count; i <= sum.Length - width; i += width)
            (new Vector<float>(sum[i..]) + new Vector<float>(values[i..])).CopyTo(sum[i..]);
        for (; i < sum.Length; i++)
            sum[i] += values[i];
    }

    private static double SumOfSquares(ReadOnlySpan<float> values)
    {
        double sum = 0;
        const int Run = 4096;
        for (int at = 0; at < values.Length; at += Run)
        {
            ReadOnlySpan<float> run = values[at..Math.Min(values.Length, at + Run)];
            Vector<float> partial = Vector<float>.Zero;
            int i = 0;
            for (int width = Vector<float>.Count; i <= run.Length - width; i += width)
            {
                Vector<float> v = new(run[i..]);
                partial += v * v;
            }
            sum += Vector.Sum(partial);
            for (; i < run.Length; i++)
                sum += run[i] * run[i];
        }
        return sum;
    }

    /// <inheritdoc/>
    public void Dispose() => _gradient.Dispose();
}

/// <summary>The gradient of one part of a step.</summary>
/// <param name="Floats">Of the weights that stay float32.</param>
/// <param name="Low">Of the others, in float32.</param>
internal sealed record PartGradient(Tensor Floats, Tensor Low) : IDisposable
{
    /// <summary>From what the automatic differentiation gave for both leaves.</summary>
    public static PartGradient Of(IReadOnlyList<Tensor> leaves) =>
        new(leaves[0].DetachFromDisposeScope(), leaves[1].to(ScalarType.Float32).DetachFromDisposeScope());

    /// <inheritdoc/>
    public void Dispose()
    {
        Floats.Dispose();
        Low.Dispose();
    }
}
