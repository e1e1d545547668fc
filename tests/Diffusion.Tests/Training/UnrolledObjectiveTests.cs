using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Operators;
using Diffusion.Runtime;
using Diffusion.Sampling;
using Diffusion.Solvers;
using Diffusion.Training;

namespace Diffusion.Tests.Training;

public sealed class UnrolledObjectiveTests
{
    private static readonly PriorInfo Info = new() { Name = "small", Kind = PriorKind.PosteriorMean };

    [Theory]
    [InlineData("downsample:factor=4"), InlineData("blur:sigma=1.5"), InlineData("mask:random=0.7,seed=3")]
    public void The_unrolled_steps_are_those_of_the_solver(string spec)
    {
        using ComputeScope scope = new();
        const double Sigma = 0.02;
        NoiseSchedule schedule = NoiseSchedule.Linear();
        AdmUNet network = Network();
        using VpPrior prior = new(network, schedule, Info with { NoiseRange = (0.01, 100) });
        using LinearOperator a = ShippedOperators.Catalog.Parse(spec).Bind(new ImageShape(3, 32, 32));
        PhiloxNoise noise = new(4, [new ImageKey(1)]);
        Tensor clean = torch.arange(3 * 32 * 32).reshape(1, 3, 32, 32).sin() * 0.6,
            y = a.Apply(clean);
        y = y + 2 * Sigma * noise.Draw(NoiseRole.Measurement, y.shape);
        MirrorSolver solver = MirrorPresets.FewStep(PresetRequest.For(a, Sigma, prior.Info, 4)) with { Turns = false };
        Tensor expected = solver.Solve(
            new InverseProblem(y, a, 2 * Sigma, Range: PixelRange.Symmetric),
            prior,
            new SolverContext { Noise = noise }
        );
        Tensor actual = UnrolledObjective.Restore(
            network,
            schedule,
            solver,
            a,
            y,
            2 * Sigma,
            new PhiloxNoise(4, [new ImageKey(1)]).Draw(NoiseRole.Start, clean.shape)
        );
        Assert.InRange((actual - expected).abs().max().item<float>(), 0, 1e-4);
    }

    [Theory]
    [InlineData(1), InlineData(3), InlineData(5), InlineData(7), InlineData(9)]
    public void The_gradient_goes_back_through_all_steps(long step)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using AdmUNet network = Network();
        using UnrolledObjective objective = new(Info, seed: 1);
        Assert.False(objective.IsBalanced(step));
        Tensor clean = torch.arange(2 * 3 * 32 * 32).reshape(2, 3, 32, 32).sin() * 0.6,
            noise = new PhiloxNoise(1, [new ImageKey(1), new ImageKey(2)]).Draw(NoiseRole.Step, clean.shape);
        Tensor flat = torch.cat([.. network.Parameters.Select(p => p.Value.flatten())]).detach();
        Tensor Loss(Tensor leaf)
        {
            Tensor[] pieces = leaf.split([.. network.Parameters.Select(p => p.Value.numel())]);
            foreach ((var parameter, Tensor piece) in network.Parameters.Zip(pieces))
                parameter.Value = piece.view(parameter.Shape);
            return objective.Loss(network, NoiseSchedule.Linear(), clean, noise, [0.1, 0.2], step).mean();
        }
        Tensor weights = flat.clone().requires_grad_();
        Tensor gradient = torch.autograd.grad([Loss(weights)], [weights])[0];
        using var noGrad = torch.no_grad();
        Tensor direction = gradient / gradient.norm();
        const double Length = 2e-3;
        double slope = (Loss(flat + Length * direction).item<float>() - Loss(flat - Length * direction).item<float>()) / (2 * Length);
        Assert.Equal(gradient.norm().item<float>(), slope, 0.03 * Math.Abs(slope));
    }

    /// <summary>A small network that does something.</summary>
    private static AdmUNet Network()
    {
        AdmUNet network = new(TrainingFixture.Architecture);
        network.Initialize(3);
        foreach (var parameter in network.Parameters)
            parameter.Value = parameter.Value + 0.02 * torch.arange(parameter.Value.numel()).reshape(parameter.Shape).cos();
        return network;
    }
}
