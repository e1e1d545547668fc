using System.Diagnostics;
using System.Numerics;
using System.Runtime.InteropServices;
using Diffusion.Runtime;

namespace Diffusion.Training;

/// <summary>
/// A step of training, whatever is learned: its crops are cut into parts, each part's gradient is kept by itself, all are added in the same
/// order, and the optimiser makes one step. So the weights are the same bit for bit however many threads work.
/// </summary>
internal sealed class GradientStep(WorkerTeam team, TrainingState state, TrainingSettings settings) : IDisposable
{
    private const int Chunk = 1 << 16;
    private readonly WorkerTeam _team = team;
    private readonly TrainingState _state = state;
    private readonly TrainingSettings _settings = settings;
    private readonly FlatTensor _gradient = new(state.Layout.Length);

    private readonly HashSet<CropBatch> _kernels = [];

    /// <summary>Says that other shapes were computed in between, so that the kernels for crops may be gone.</summary>
    /// <remarks>
    /// oneDNN makes a kernel at its first use and shares it between threads, and two threads that want the same backward convolution at
    /// that moment can be given a wrong one (oneDNN 3.7.1 of libtorch 2.10.0: half of all runs ended within four steps in NaN or a
    /// segmentation fault, none without its cache). So the first step with crops of a size is computed by one thread.
    /// </remarks>
    public void ForgetKernels() => _kernels.Clear();

    /// <summary>Makes the step that is next, and advances the state.</summary>
    /// <param name="batch">Its crops.</param>
    /// <param name="differentiate">Gives the gradient of a part and writes the losses of its crops.</param>
    /// <exception cref="NumericalException">The loss or the gradient is not finite.</exception>
    /// <exception cref="ResourceException">Not enough memory; the state file is intact.</exception>
    public StepReport Take(CropBatch batch, Func<StepPart, PartGradient> differentiate)
    {
        long step = _state.Step,
            started = Stopwatch.GetTimestamp();
        int parts = Math.Min(_settings.Parts, batch.Count);
        int Begin(int part) => part * batch.Count / parts;
        (double Loss, double Error)[] losses = new (double, double)[batch.Count];
        PartGradient[] gradients = new PartGradient[parts];
        Tensor low = LowPrecisionWeights();
        try
        {
            void Compute(int worker, int part) =>
                gradients[part] = differentiate(new StepPart(worker, step, batch, Begin(part), Begin(part + 1), low, losses));
            if (_kernels.Add(batch))
                _team.Run(1, (worker, _) =>
                {
                    for (int part = 0; part < parts; part++)
                        Compute(worker, part);
                });
            else
                _team.Run(parts, Compute);
            double norm = Add(gradients),
                loss = losses.Average(l => l.Loss);
            if (!double.IsFinite(norm) || !double.IsFinite(loss))
                throw new NumericalException(
                    $"The loss or its gradient is not finite at step {step}",
                    null,
                    "Start again with a lower learning rate: the last saved state is intact"
                );
            Apply(step, norm);
            _state.Step++;
            _state.Crops += batch.Count;
            _state.Pixels += (long)batch.Count * batch.Size * batch.Size;
            double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            return new StepReport(step, loss, losses.Average(l => l.Error), norm, _state.Rate.At(step), batch, seconds);
        }
        catch (Exception e)
            when (e is OutOfMemoryException || (e is ExternalException && e.Message.Contains("memory", StringComparison.OrdinalIgnoreCase)))
        {
            throw new ResourceException(
                "Not enough memory for a training step",
                null,
                "Use smaller crops, fewer crops a step or fewer threads; the run goes on from the last saved state",
                e
            );
        }
        finally
        {
            foreach (PartGradient? gradient in gradients)
                gradient?.Dispose();
            low.Dispose();
        }
    }

    // The weights that are computed in the network's dtype, in it; the caller owns them.
    private Tensor LowPrecisionWeights()
    {
        using Tensor part = _state.Weights.Tensor.narrow(0, _state.Layout.FloatLength, _state.Layout.Length - _state.Layout.FloatLength);
        return part.to(_settings.Policy.NetworkDtype, copy: true).DetachFromDisposeScope();
    }

    // The norm of the parts' sum.
    private double Add(PartGradient[] gradients)
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

    // One step of the optimiser, and of the averages where they are due.
    private void Apply(long step, double norm)
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

/// <summary>A part of a step.</summary>
/// <param name="Worker">The thread that computes it.</param>
/// <param name="Step">The step's number.</param>
/// <param name="Batch">All crops of the step.</param>
/// <param name="Begin">The part's first crop.</param>
/// <param name="End">The crop after its last one.</param>
/// <param name="Low">The weights that are computed in the network's dtype; borrowed.</param>
/// <param name="Losses">Of all crops of the step; those from <paramref name="Begin"/> are written.</param>
internal sealed record StepPart(
    int Worker,
    long Step,
    CropBatch Batch,
    int Begin,
    int End,
    Tensor Low,
    (double Loss, double Error)[] Losses
)
{
    /// <summary>How many crops it has.</summary>
    public int Count => End - Begin;

    /// <summary>Writes the losses of its crops.</summary>
    /// <param name="loss">[Count] float32, borrowed.</param>
    /// <param name="error">[Count] float32, borrowed.</param>
    public void Tell(Tensor loss, Tensor error)
    {
        float[] losses = loss.detach().data<float>().ToArray(),
            errors = error.detach().data<float>().ToArray();
        for (int i = 0; i < losses.Length; i++)
            Losses[Begin + i] = (losses[i], errors[i]);
    }
}

/// <summary>The gradient of one part of a step.</summary>
/// <param name="Floats">Of the weights that stay float32.</param>
/// <param name="Low">Of the others, in float32.</param>
internal sealed record PartGradient(Tensor Floats, Tensor Low) : IDisposable
{
    /// <summary>Of a loss by both leaves.</summary>
    /// <param name="loss">A number; borrowed.</param>
    /// <param name="floats">The weights that stay float32; borrowed.</param>
    /// <param name="low">The others; borrowed. Where there are none they take no part.</param>
    public static PartGradient Of(Tensor loss, Tensor floats, Tensor low)
    {
        bool both = low.numel() > 0;
        IList<Tensor> leaves = torch.autograd.grad([loss], both ? [floats, low] : [floats]);
        return new(leaves[0].DetachFromDisposeScope(), (both ? leaves[1] : low.detach()).to(ScalarType.Float32).DetachFromDisposeScope());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Floats.Dispose();
        Low.Dispose();
    }
}
