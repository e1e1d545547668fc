using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Operators;
using Diffusion.Runtime;
using Diffusion.Solvers;
using Diffusion.Tests.Solvers;

namespace Diffusion.Tests.Extending;

/// <summary>One record of a foreign assembly is a solver, built on what the shipped ones are built on.</summary>
public sealed class SolverPluginTests
{
    private static readonly SolverCatalog Catalog = SolverCatalog.With(SamplePlugin.Load());

    [Fact]
    public void Its_settings_and_presets_are_known_by_name()
    {
        SolverEntry entry = Catalog.Find("pnp-ista");
        Assert.Equal(["iterations", "sigma", "step"], entry.Settings.Select(setting => setting.Name));
        Assert.Equal(5, entry.CreateBlind(null, 5, new Dictionary<string, string> { ["gamma"] = "0.5" }).Evaluations);
        Assert.Contains(
            "between 0.000001 and 2",
            Assert.Throws<ArgumentException>(() => entry.CreateBlind(null, 5, Set("step", "3"))).Message
        );
    }

    [Fact]
    public void It_converges_to_the_fixed_point_of_gradient_step_and_denoiser()
    {
        using ComputeScope scope = new();
        using GaussianProblem problem = new("blur");
        InverseProblem symmetric = problem.Problem.ToSymmetric();
        Tensor x = Catalog
            .Find("pnp-ista")
            .CreateBlind(null, 400, Set("step", "1"))
            .Solve(symmetric, problem.Prior, new SolverContext { Noise = problem.Noise() });
        Tensor z = x - DataStep.Gradient(symmetric.A, symmetric.Y, x) / symmetric.A.NormSquared;
        Assert.True((problem.Prior.Denoise(z, 0.1) - x).abs().max().item<float>() < 1e-4);
    }

    private static Dictionary<string, string> Set(string name, string value) => new() { [name] = value };
}
