using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Sampling;
using Diffusion.Training;

namespace Diffusion.Tests.Training;

public sealed class ConsistencyObjectiveTests
{
    [Fact]
    public void The_ratio_comes_half_way_closer_to_one_after_each_stage_and_stays()
    {
        ConsistencyObjective objective = new(StageSteps: 10, Stages: 3);
        Assert.Equal(
            [0.5, 0.5, 0.75, 0.875, 0.875],
            [objective.Ratio(0), objective.Ratio(9), objective.Ratio(10), objective.Ratio(20), objective.Ratio(1000)]
        );
    }

    [Fact]
    public void A_network_that_says_nothing_is_off_by_the_noise_that_lies_between_the_levels()
    {
        // With epsilon = 0, f(x, sigma) = x, so f(sigma) - f(r) = (sigma - r) n.
        using ComputeScope scope = new();
        using AdmUNet network = new(TrainingFixture.Architecture);
        network.Initialize(1);
        Tensor clean = torch.zeros(2, 3, 16, 16),
            noise = new PhiloxNoise(1, [new ImageKey(1), new ImageKey(2)]).Draw(NoiseRole.Step, 2, 3, 16, 16);
        Tensor loss = new ConsistencyObjective().Loss(network, NoiseSchedule.Linear(), clean, noise, [0.4, 1.0], 0);
        Tensor norms = noise.square().sum([1, 2, 3]).sqrt();
        Assert.True(
            (loss / norms - 1).abs().max().item<float>() < 0.1,
            $"loss {loss[0].item<float>()}, {loss[1].item<float>()} for noise of norm {norms[0].item<float>()}, {norms[1].item<float>()}"
        );
    }

    [Fact]
    public void Below_the_schedule_the_target_is_the_clean_picture_and_carries_no_gradient()
    {
        using AdmUNet network = new(TrainingFixture.Architecture);
        network.Initialize(1);
        foreach (var parameter in network.Parameters)
            parameter.Value = (parameter.Value + 0.01).detach().requires_grad_();
        Tensor clean = torch.full([1, 3, 16, 16], 0.3),
            noise = torch.ones(1, 3, 16, 16);
        NoiseSchedule schedule = NoiseSchedule.Linear();
        const double Sigma = 0.015;
        Tensor loss = new ConsistencyObjective().Loss(network, schedule, clean, noise, [Sigma], 0);
        Assert.True(loss.requires_grad);
        using var noGrad = torch.no_grad();
        Tensor epsilon = network.Forward(
            (clean + Sigma * noise) / Math.Sqrt(1 + Sigma * Sigma),
            torch.tensor([(float)schedule.TimeOf(Sigma)])
        );
        double distance = (Sigma * (noise - epsilon)).square().sum().sqrt().item<float>(),
            huber = 0.00054 * Math.Sqrt(3 * 16 * 16);
        Assert.Equal((Math.Sqrt(distance * distance + huber * huber) - huber) / Sigma, loss.item<float>(), 1e-3 * distance / Sigma);
    }

    [Fact]
    public void Tuning_runs_and_writes_a_consistency_prior()
    {
        using TrainingState state = TrainingFixture.State();
        using PriorTrainer trainer = TrainingFixture.Trainer(
            state,
            TrainingFixture.Settings with
            {
                Objective = new ConsistencyObjective(),
                Levels = new NoiseLevelSettings { Max = 1.2, AboveShare = 0 },
            }
        );
        for (int i = 0; i < 3; i++)
            Assert.True(double.IsFinite(trainer.Step().Loss));
        string folder = Directory.CreateTempSubdirectory("consistency").FullName;
        try
        {
            TrainingPlan plan = new()
            {
                Photos = [],
                Folder = folder,
                Budget = new TrainingBudget(Steps: 3),
                Architecture = TrainingFixture.Architecture,
                Name = "cm",
                Settings = TrainingFixture.Settings with
                {
                    Objective = new ConsistencyObjective(),
                    Levels = new NoiseLevelSettings { Max = 1.2, AboveShare = 0 },
                },
            };
            PriorExport.Write(folder, plan, state, []);
            using IDenoiser prior = PriorLoader.Load(folder + Path.DirectorySeparatorChar, ComputePolicy.Reference);
            Assert.Equal(PriorKind.Consistency, prior.Info.Kind);
            Assert.Equal(1.2, prior.Info.NoiseRange.Max);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
