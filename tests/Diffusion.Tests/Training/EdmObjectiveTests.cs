using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Sampling;
using Diffusion.Tests.Parity;
using Diffusion.Training;

namespace Diffusion.Tests.Training;

public sealed class EdmObjectiveTests
{
    [Fact]
    public void The_loss_is_the_prior_s_error_in_units_of_c_out()
    {
        using ComputeScope scope = new();
        AdmUNet network = new(TrainingFixture.Architecture);
        network.Initialize(1);
        foreach (var parameter in network.Parameters)
            parameter.Value += 0.01;
        using NetworkPrior prior = new EdmObjective().Prior(
            network,
            NoiseSchedule.Linear(),
            new PriorInfo { Name = "edm", Kind = PriorKind.PosteriorMean }
        );
        double[] sigmas = [0.05, 0.7];
        Tensor clean = torch.full([2, 3, 16, 16], 0.3),
            noise = new PhiloxNoise(1, [new ImageKey(1), new ImageKey(2)]).Draw(NoiseRole.Step, 2, 3, 16, 16);
        Tensor loss = new EdmObjective().Loss(network, NoiseSchedule.Linear(), clean, noise, sigmas, 0);
        for (int i = 0; i < sigmas.Length; i++)
        {
            Tensor x0 = clean.narrow(0, i, 1),
                error = prior.Denoise(x0 + sigmas[i] * noise.narrow(0, i, 1), sigmas[i]) - x0;
            double expected = error.square().mean().item<float>() / Math.Pow(KarrasScalings.Edm.Out(sigmas[i]), 2);
            Assert.Equal(expected, loss[i].item<float>(), 2e-3 * expected);
        }
    }

    [Fact]
    public void A_card_says_what_the_network_and_its_schedule_are()
    {
        AdmUNetConfig architecture = TrainingFixture.Architecture with { NumClasses = 5, NumHeads = 2, NumHeadsUpsample = 4 };
        using TrainingState state = TrainingFixture.State();
        string folder = Directory.CreateTempSubdirectory("card").FullName;
        try
        {
            TrainingPlan plan = new()
            {
                Photos = [],
                Folder = folder,
                Budget = new TrainingBudget(Steps: 3),
                Architecture = architecture,
                Name = "mine",
                Schedule = NoiseSchedule.Cosine(50),
                Settings = TrainingFixture.Settings,
            };
            PriorExport.Write(folder, plan, state, []);
            PriorCard card = PriorCard.Read(Path.Combine(folder, "card.json"));
            Assert.Equal(
                AdmUNetConfig.Keys.Write(architecture).ToJsonString(),
                AdmUNetConfig.Keys.Write(AdmUNetConfig.Keys.Read(card.Architecture.Config)).ToJsonString()
            );
            Assert.Equal(plan.Schedule.Betas, card.Schedule.Betas);
            Assert.NotNull(card.Sha256);
            // Another file in the folder does not take the card.
            string weights = Path.Combine(folder, "mine.safetensors");
            File.Copy(weights, Path.Combine(folder, "other.safetensors"));
            Assert.Equal(weights, PriorFiles.Find(folder + Path.DirectorySeparatorChar).Weights);
            Assert.NotNull(PriorFiles.Find(weights).Card);
            Assert.Null(PriorFiles.Find(Path.Combine(folder, "other.safetensors")).Card);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory, InlineData("linear"), InlineData("scaled-linear"), InlineData("cosine"), InlineData("betas")]
    public void A_schedule_is_read_as_it_was_written(string type)
    {
        NoiseSchedule schedule = type switch
        {
            "linear" => NoiseSchedule.LinearOf(250),
            "scaled-linear" => NoiseSchedule.ScaledLinear(),
            "cosine" => NoiseSchedule.Cosine(30),
            _ => BetaSchedules.Named("sigmoid", 1e-4, 0.02, 40),
        };
        System.Text.Json.Nodes.JsonObject written = ScheduleCard.Write(schedule);
        Assert.Equal(type, (string?)written["type"]);
        NoiseSchedule read = ScheduleCard.Read(written);
        Assert.Equal(schedule.Steps, read.Steps);
        Assert.All(schedule.Betas.Zip(read.Betas), pair => Assert.Equal(pair.First, pair.Second, 1e-14 * pair.First));
    }

    [Fact]
    public void Training_lowers_the_loss_and_writes_a_prior_that_loads_as_one()
    {
        TrainingSettings settings = TrainingFixture.Settings with { Objective = new EdmObjective() };
        using TrainingState state = TrainingFixture.State();
        using PriorTrainer trainer = TrainingFixture.Trainer(state, settings);
        double[] errors = [.. Enumerable.Range(0, 30).Select(_ => trainer.Step().Error)];
        Assert.True(errors[20..].Average() < 0.9 * errors[..5].Average(), $"{errors[..5].Average():F3}, then {errors[20..].Average():F3}");
        string folder = Directory.CreateTempSubdirectory("edm").FullName;
        try
        {
            PriorExport.Write(
                folder,
                new TrainingPlan
                {
                    Photos = [],
                    Folder = folder,
                    Budget = new TrainingBudget(Steps: 3),
                    Architecture = TrainingFixture.Architecture,
                    Name = "edm",
                    Settings = settings,
                },
                state,
                []
            );
            using IDenoiser prior = PriorLoader.Load(folder + Path.DirectorySeparatorChar, ComputePolicy.Reference);
            Assert.IsType<EdmPrior>(prior);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
