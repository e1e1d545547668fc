using System.Diagnostics;
using Diffusion.Models;
using Diffusion.Native;
using Diffusion.Networks;
using Diffusion.Networks.Layers;
using Diffusion.Runtime;
using Diffusion.Sampling;
using Diffusion.Training;

namespace Diffusion.Benchmarks;

/// <summary>
/// What a training step costs beside its convolutions: whole steps on real crops against forward and backward of the convolutions alone,
/// both by as many threads of one libtorch thread each.
/// </summary>
internal static class TrainingProfile
{
    public static void Print(IReadOnlyList<string> photos, AdmUNetConfig architecture, string dtype, int steps, int workers)
    {
        NativeLibraries.LoadTorch();
        torch.set_num_threads(1);
        CropSource crops = new(TrainingPhotos.Read(photos), 1);
        ComputePolicy policy = ComputePolicy.Choose("cpu", dtype);
        foreach (CropBatch batch in new TrainingSettings().Batches)
        {
            TrainingSettings settings = new()
            {
                Policy = policy,
                Batches = [batch],
                Workers = workers,
            };
            using AdmUNet network = new(architecture, policy);
            network.Initialize(1);
            using TrainingState state = new(network.Parameters, new LearningRate(1e-5, 10));
            state.Initialize(network.Parameters);
            using PriorTrainer trainer = new(architecture, NoiseSchedule.Linear(), crops, settings, state);
            double step = Fastest(steps, () => trainer.Step());
            double bound = Convolutions(network, batch, settings, workers, out double work);
            double data = Fastest(3, () =>
            {
                float[] target = new float[3 * batch.Size * batch.Size];
                for (int i = 0; i < batch.Count; i++)
                    crops.Fill(1, i, batch.Size, 0.1, target);
            });
            Console.WriteLine(
                string.Create(
                    System.Globalization.CultureInfo.InvariantCulture,
                    $"{batch.Count, 2} crops of {batch.Size, 3}: {batch.Count / step, 6:F1} crops/s "
                        + $"{batch.Count * batch.Size * batch.Size / step / 1e6:F3} Mpixel/s; convolutions alone "
                        + $"{100 * bound / step, 3:F0} % of the step, {3 * 2 * work / bound / 1e9, 4:F0} GFLOP/s; crops cut by one "
                        + $"thread {100 * data / step, 4:F1} %"
                )
            );
        }
    }

    /// <summary>Seconds for the convolutions of a step, forward and backward.</summary>
    private static double Convolutions(AdmUNet network, CropBatch batch, TrainingSettings settings, int workers, out double work)
    {
        int parts = Math.Min(settings.Parts, batch.Count),
            count = batch.Count / parts;
        NetworkProfile.Layer[] layers;
        using (torch.no_grad())
        using (torch.NewDisposeScope())
            layers =
            [
                .. NetworkProfile.Convolutions(
                    network,
                    NetworkProfile.Shapes(network, torch.randn(count, 3, batch.Size, batch.Size), torch.full(count, 100f))
                ),
            ];
        work = layers.Sum(layer => layer.Work) * parts;
        double seconds = 0;
        foreach (NetworkProfile.Layer layer in layers)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            Tensor x = ChannelsLast.Of(torch.randn(layer.Input).to(layer.Weight.dtype)).detach().requires_grad_(),
                w = layer.Weight.detach().requires_grad_(),
                bias = torch.zeros(layer.Weight.shape[0], dtype: layer.Weight.dtype).requires_grad_();
            Tensor slope;
            using (torch.no_grad())
                slope = ChannelsLast.Of(torch.ones_like(layer.Run(x, w, bias)));
            void Once()
            {
                using DisposeScope inner = torch.NewDisposeScope();
                torch.autograd.grad([layer.Run(x, w, bias)], [x, w, bias], [slope]);
            }
            Once();
            // Every thread does the same, and a thread does its share of the parts.
            seconds += Fastest(3, () =>
                {
                    Thread[] threads =
                    [
                        .. Enumerable
                            .Range(0, workers)
                            .Select(_ => new Thread(() =>
                            {
                                torch.set_num_threads(1);
                                for (int i = 0; i < 4; i++)
                                    Once();
                            })),
                    ];
                    foreach (Thread thread in threads)
                        thread.Start();
                    foreach (Thread thread in threads)
                        thread.Join();
                }) / 4 * parts / workers;
        }
        return seconds;
    }

    private static double Fastest(int rounds, Action action)
    {
        double best = double.PositiveInfinity;
        for (int round = -1; round < rounds; round++)
        {
            long started = Stopwatch.GetTimestamp();
            action();
            if (round >= 0)
                best = Math.Min(best, Stopwatch.GetElapsedTime(started).TotalSeconds);
        }
        return best;
    }
}
