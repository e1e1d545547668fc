using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Sampling;
using Diffusion.Training;

namespace Diffusion.Tests.Training;

public sealed class PriorTrainerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("training").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_run_that_was_aborted_ends_with_the_same_weights_bit_for_bit()
    {
        using TrainingState whole = TrainingFixture.State();
        using (PriorTrainer trainer = TrainingFixture.Trainer(whole))
            for (int i = 0; i < 9; i++)
                trainer.Step();

        string file = Path.Combine(_folder, "state");
        using (TrainingState first = TrainingFixture.State())
        using (PriorTrainer trainer = TrainingFixture.Trainer(first))
        {
            for (int i = 0; i < 5; i++)
                trainer.Step();
            first.Save(file);
            trainer.Step(); // lost, as after kill -9
        }
        using TrainingState second = TrainingFixture.State();
        second.Load(file);
        using (PriorTrainer trainer = TrainingFixture.Trainer(second))
            for (int i = 0; i < 4; i++)
                trainer.Step();

        Assert.Equal(whole.Step, second.Step);
        Assert.Equal(whole.Crops, second.Crops);
        foreach (TrainedWeights which in Enum.GetValues<TrainedWeights>())
            Assert.Equal(TrainingFixture.Weights(whole, which), TrainingFixture.Weights(second, which));
    }

    [Fact]
    public void The_number_of_threads_does_not_change_a_bit()
    {
        float[] Train(int workers)
        {
            using TrainingState state = TrainingFixture.State();
            using PriorTrainer trainer = TrainingFixture.Trainer(state, TrainingFixture.Settings with { Workers = workers });
            for (int i = 0; i < 3; i++)
                trainer.Step();
            return TrainingFixture.Weights(state);
        }
        Assert.Equal(Train(1), Train(3));
    }

    [Fact]
    public void Threads_that_need_new_kernels_at_the_same_time_get_the_right_ones()
    {
        // Wide enough for oneDNN's matrix kernels, whose backward pass it makes from two parts; every size of crops needs its own.
        AdmUNetConfig architecture = TrainingFixture.Architecture with { ModelChannels = 64, ChannelMult = [1, 2, 2] };
        float[] Train(int workers)
        {
            using AdmUNet network = new(architecture);
            network.Initialize(3);
            foreach (var parameter in network.Parameters)
                parameter.Value = parameter.Value + 0.02 * torch.arange(parameter.Value.numel()).reshape(parameter.Shape).cos();
            using TrainingState state = new(network.Parameters, new LearningRate(1e-4, 2));
            state.Initialize(network.Parameters);
            CropBatch[] batches = [.. Enumerable.Range(4, 8).Select(k => new CropBatch(4 * k, 4, 1))];
            using PriorTrainer trainer = new(
                architecture,
                NoiseSchedule.Linear(),
                new CropSource(TrainingFixture.Photos, 1),
                new TrainingSettings { Workers = workers, Batches = batches },
                state
            );
            for (int i = 0; i < 16; i++)
                trainer.Step();
            return TrainingFixture.Weights(state);
        }
        Assert.Equal(Train(2), Train(1));
    }

    [Fact]
    public void Training_lowers_the_error_of_denoising()
    {
        using TrainingState state = TrainingFixture.State();
        using PriorTrainer trainer = TrainingFixture.Trainer(state);
        List<double> losses = [];
        // Epsilon starts at 0, where the loss of every level is 1: the balance divides by its own running mean, so compare the means.
        for (int i = 0; i < 60; i++)
            trainer.Step();
        losses.AddRange(state.Balance.Means.Where(m => !double.IsNaN(m)));
        Assert.True(losses.Min() < 0.7, $"the best level's loss is {losses.Min()}");
    }

    [Fact]
    public void The_averages_follow_the_weights()
    {
        using TrainingState state = TrainingFixture.State();
        float[] start = TrainingFixture.Weights(state, TrainedWeights.LongAverage);
        using PriorTrainer trainer = TrainingFixture.Trainer(state);
        for (int i = 0; i < 8; i++)
            trainer.Step();
        float[] last = TrainingFixture.Weights(state),
            shorter = TrainingFixture.Weights(state, TrainedWeights.ShortAverage);
        double Distance(float[] a, float[] b) => Math.Sqrt(a.Zip(b, (u, v) => (double)(u - v) * (u - v)).Sum());
        Assert.InRange(Distance(shorter, last), 1e-9, 0.99 * Distance(start, last));
    }

    [Fact]
    public void Weights_that_are_not_finite_stop_the_run_with_advice()
    {
        using TrainingState state = TrainingFixture.State();
        state.Rate = new LearningRate(double.NaN, 0);
        using PriorTrainer trainer = TrainingFixture.Trainer(state);
        NumericalException error = Assert.Throws<NumericalException>(() =>
        {
            for (int i = 0; i < 3; i++)
                trainer.Step();
        });
        Assert.Contains("lower learning rate", error.Message);
    }

    [Fact, NeedsFinalizers]
    public void Steps_leave_no_tensor_behind()
    {
        using TrainingState state = TrainingFixture.State();
        using PriorTrainer trainer = TrainingFixture.Trainer(state);
        for (int i = 0; i < 3; i++)
            trainer.Step();
        long before = Live();
        for (int i = 0; i < 10; i++)
            trainer.Step();
        Assert.Equal(before, Live());

        static long Live()
        {
            // Tensors that earlier tests left to the collector are none of ours.
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return torch.Tensor.TotalCount;
        }
    }
}
