using System.Diagnostics;
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
    private readonly TrainingSettings _settings;
    private readonly CropSource _crops;
    private readonly NoiseLevels _levels;
    private readonly NoiseSchedule _schedule;
    private readonly WorkerTeam _team;
    private readonly AdmUNet[] _networks;
    private readonly GradientStep _update;
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
        _update = new GradientStep(_team, state, settings);
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
        PartGradient[] gradients = new PartGradient[parts];
        Tensor low = _update.LowPrecisionWeights();
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
            double norm = _update.Add(gradients);
            double loss = losses.Average(l => l.Loss * l.Weight),
                error = losses.Average(l => l.Loss);
            if (!double.IsFinite(norm) || !double.IsFinite(loss))
                throw new NumericalException(
                    $"The loss or its gradient is not finite at step {step}",
                    null,
                    "Start again with a lower learning rate: the last saved state is intact"
                );
            _update.Apply(step, norm);
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
            foreach (PartGradient? gradient in gradients)
                gradient?.Dispose();
            low.Dispose();
        }
    }

    private PartGradient Differentiate(int worker, long step, CropBatch batch, int begin, int end, Tensor low, CropLoss[] losses)
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
        return PartGradient.Of(result);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _team.Dispose();
        foreach (AdmUNet network in _networks)
            network.Dispose();
        _update.Dispose();
    }

    private readonly record struct CropLoss(int Bin, double Loss, double Weight);
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
