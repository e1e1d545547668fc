using System.Diagnostics;
using System.Numerics;
using System.Runtime.InteropServices;
using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Sampling;

namespace Diffusion.Training;

/// <summary>Trains an epsilon network on crops and noise levels, every level with equal say.</summary>
/// <remarks>
/// Data parallel over threads. A step's crops are cut into parts; each part's gradient is kept by itself and all are added in the same
/// order,
/// so that the weights are the same bit for bit however many threads work and however often the run was killed.
/// </remarks>
public sealed class PriorTrainer : IDisposable
{
    private const int Chunk = 1 << 16;
    private readonly TrainingSettings _settings;
    private readonly CropSource _crops;
    private readonly NoiseLevels _levels;
    private readonly NoiseSchedule _schedule;
    private readonly WorkerTeam _team;
    private readonly AdmUNet[] _networks;
    private readonly FlatTensor _gradient;
    private readonly HashSet<CropBatch> _kernels = [];

    /// <summary>A trainer that continues <paramref name="state"/>.</summary>
    /// <param name="architecture">The network; each thread has one, all with the same weights.</param>
    /// <param name="schedule">The schedule of the prior.</param>
    /// <param name="crops">The data.</param>
    /// <param name="settings">How to train.</param>
    /// <param name="state">Borrowed; advanced by <see cref="Step"/>.</param>
    public PriorTrainer(
        AdmUNetConfig architecture,
        NoiseSchedule schedule,
        CropSource crops,
        TrainingSettings settings,
        TrainingState state
    )
    {
        (_schedule, _crops, _settings, State) = (schedule, crops, settings, state);
        _levels = new NoiseLevels(schedule, settings.Levels);
        _team = new WorkerTeam(settings.Workers);
        _networks = [.. Enumerable.Range(0, settings.Workers).Select(_ => new AdmUNet(architecture, settings.Policy))];
        _gradient = new FlatTensor(state.Layout.Length);
    }

    /// <summary>The run's state.</summary>
    public TrainingState State { get; }

    /// <summary>Says that other shapes were computed in between, so that the kernels for crops may be gone.</summary>
    /// <remarks>
    /// oneDNN makes a kernel at its first use and shares it between threads, and two threads that want the same backward convolution at
    /// that moment can be given a wrong one (oneDNN 3.7.1 of libtorch 2.10.0: half of all runs ended within four steps in NaN or a
    /// segmentation fault, none without its cache). So the first step with crops of a size is computed by one thread.
    /// </remarks>
    public void ForgetKernels() => _kernels.Clear();

    /// <summary>One step.</summary>
    /// <returns>What happened.</returns>
    /// <exception cref="NumericalException">The loss or the gradient is not finite.</exception>
    /// <exception cref="ResourceException">Not enough memory; the state file is intact.</exception>
    public StepReport Step()
    {
        long step = State.Step,
            started = Stopwatch.GetTimestamp();
        CropBatch batch = _settings.BatchOf(step);
        int parts = Math.Min(_settings.Parts, batch.Count);
        int Begin(int part) => part * batch.Count / parts;
        CropLoss[] losses = new CropLoss[batch.Count];
        Gradient[] gradients = new Gradient[parts];
        Tensor low = LowPrecisionWeights();
        try
        {
            void Compute(int worker, int part) =>
                gradients[part] = Differentiate(worker, step, batch, Begin(part), Begin(part + 1), low, losses);
            if (_kernels.Add(batch))
                _team.Run(1, (worker, _) =>
                {
                    for (int part = 0; part < parts; part++)
                        Compute(worker, part);
                });
            else
                _team.Run(parts, Compute);
            double norm = Add(gradients);
            double loss = losses.Average(l => l.Loss * l.Weight),
                error = losses.Average(l => l.Loss);
            if (!double.IsFinite(norm) || !double.IsFinite(loss))
                throw new NumericalException(
                    $"The loss or its gradient is not finite at step {step}",
                    null,
                    "Start again with a lower learning rate: the last saved state is intact"
                );
            Update(step, norm);
            if (_settings.Objective.IsBalanced(step))
                foreach (CropLoss l in losses)
                    State.Balance.Observe(l.Bin, l.Loss);
            State.Step++;
            State.Crops += batch.Count;
            State.Pixels += (long)batch.Count * batch.Size * batch.Size;
            double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            return new StepReport(step, loss, error, norm, State.Rate.At(step), batch, seconds);
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
            foreach (Gradient? gradient in gradients)
                gradient?.Dispose();
            low.Dispose();
        }
    }

    private Tensor LowPrecisionWeights()
    {
        using Tensor part = State.Weights.Tensor.narrow(0, State.Layout.FloatLength, State.Layout.Length - State.Layout.FloatLength);
        return part.to(_settings.Policy.NetworkDtype, copy: true).DetachFromDisposeScope();
    }

    private Gradient Differentiate(int worker, long step, CropBatch batch, int begin, int end, Tensor low, CropLoss[] losses)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        int count = end - begin,
            length = 3 * batch.Size * batch.Size;
        Tensor clean = torch.empty([count, 3, batch.Size, batch.Size], dtype: ScalarType.Float32);
        double[] sigmas = new double[count];
        for (int i = 0; i < count; i++)
        {
            Draws draws = new(_settings.Seed, step, begin + i);
            sigmas[i] = _levels.Draw(ref draws);
            _crops.Fill(step, begin + i, batch.Size, sigmas[i], MemoryMarshal.Cast<byte, float>(clean.bytes).Slice(i * length, length));
        }
        Tensor noise = new PhiloxNoise(
            _settings.Seed,
            [.. Enumerable.Range(begin, count).Select(i => new ImageKey(((ulong)step << 20) + (uint)i))]
        ).Draw(NoiseRole.Step, count, 3, batch.Size, batch.Size);

        AdmUNet network = _networks[worker];
        Tensor floatLeaf = State.Weights.Tensor.narrow(0, 0, State.Layout.FloatLength).detach().requires_grad_();
        Tensor lowLeaf = low.detach().requires_grad_();
        State.Layout.Bind(network.Parameters, floatLeaf, lowLeaf);
        Tensor error = _settings.Objective.Loss(network, _schedule, clean, noise, sigmas, step);
        float[] values = error.detach().data<float>().ToArray();
        float[] weights = new float[count];
        bool balanced = _settings.Objective.IsBalanced(step);
        for (int i = 0; i < count; i++)
        {
            int bin = _levels.Bin(sigmas[i]);
            double weight = balanced ? State.Balance.Weight(bin) : 1;
            weights[i] = (float)(weight / batch.Count);
            losses[begin + i] = new CropLoss(bin, values[i], weight);
        }
        Tensor[] result = [.. torch.autograd.grad([(error * torch.tensor(weights)).sum()], [floatLeaf, lowLeaf])];
        return new Gradient(result[0].DetachFromDisposeScope(), result[1].to(ScalarType.Float32).DetachFromDisposeScope());
    }

    /// <summary>Adds the parts' gradients, always in the same order, and returns the norm of the sum.</summary>
    private double Add(Gradient[] gradients)
    {
        int split = (int)State.Layout.FloatLength,
            total = (int)State.Layout.Length,
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

    private void Update(long step, double norm)
    {
        int total = (int)State.Layout.Length,
            chunks = (total + Chunk - 1) / Chunk;
        double rate = State.Rate.At(step),
            scale = Math.Min(1, _settings.ClipNorm / Math.Max(norm, 1e-12));
        _team.Run(chunks, (_, chunk) =>
        {
            int from = chunk * Chunk,
                to = Math.Min(total, from + Chunk);
            Span<float> weights = State.Weights.Span[from..to];
            _settings.Optimizer.Update(
                step,
                rate,
                scale,
                _gradient.Span[from..to],
                weights,
                State.First.Span[from..to],
                State.Second.Span[from..to]
            );
            if (!Ema.IsDue(step))
                return;
            _settings.ShortAverage.Update(step, State.Short.Span[from..to], weights);
            _settings.LongAverage.Update(step, State.Long.Span[from..to], weights);
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
    public void Dispose()
    {
        _team.Dispose();
        foreach (AdmUNet network in _networks)
            network.Dispose();
        _gradient.Dispose();
    }

    private readonly record struct CropLoss(int Bin, double Loss, double Weight);

    private sealed record Gradient(Tensor Floats, Tensor Low) : IDisposable
    {
        public void Dispose()
        {
            Floats.Dispose();
            Low.Dispose();
        }
    }
}

/// <summary>One step of training.</summary>
/// <param name="Step">Its number.</param>
/// <param name="Loss">Balanced loss; about 1 when nothing changes.</param>
/// <param name="Error">Mean loss of the crops as the objective gives it, not balanced between levels.</param>
/// <param name="GradientNorm">Before clipping.</param>
/// <param name="Rate">The learning rate.</param>
/// <param name="Batch">Its crops.</param>
/// <param name="Seconds">Its duration.</param>
public sealed record StepReport(long Step, double Loss, double Error, double GradientNorm, double Rate, CropBatch Batch, double Seconds);
