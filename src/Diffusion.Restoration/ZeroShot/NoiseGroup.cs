using Diffusion.Inverse;
using Diffusion.Pipeline;
using Diffusion.Restoration;
using Diffusion.Solvers;

namespace Diffusion.ZeroShot;

/// <summary>The pictures of a batch that have equal noise, and the solver that it asks for.</summary>
/// <param name="Pictures">Their indices.</param>
/// <param name="Sigma">Standard deviation of the noise on [0,1].</param>
/// <param name="Solver">The solver.</param>
/// <param name="Choice">What is said about it.</param>
internal sealed record NoiseGroup(IReadOnlyList<int> Pictures, double Sigma, ISolver Solver, MethodChoice Choice)
{
    /// <summary>How data steps without a closed form went.</summary>
    public SolveLog Solves { get; } = new();

    /// <summary>The groups of a batch, in the order of their first pictures.</summary>
    /// <param name="method">The method.</param>
    /// <param name="problem">The operator, of the whole or of the area that stands for it.</param>
    /// <param name="batch">The measurements.</param>
    /// <param name="measured">What that operator measured of each.</param>
    public static IReadOnlyList<NoiseGroup> Of(
        ZeroShotMethod method,
        BoundProblem problem,
        IReadOnlyList<Measurement> batch,
        Func<int, Tensor> measured
    )
    {
        using DisposeScope scope = torch.NewDisposeScope();
        bool estimated = false;
        double[] sigmas =
        [
            .. batch.Select((m, i) => NoiseLevel.Of(method.Options, m, problem.A, measured(i).to(method.Policy.Device), out estimated)),
        ];
        return
        [
            .. new GaussianNoise(sigmas)
                .Groups(batch.Count)
                .Select(pictures =>
                {
                    double sigma = sigmas[pictures[0]];
                    (string name, ISolver solver) = SolverChoice.Create(
                        method.Options,
                        method.Solvers,
                        problem.Request(sigma, method.PriorInfo, method.Options.Steps)
                    );
                    return new NoiseGroup(pictures, sigma, solver, new(name, solver.Evaluations, sigma, estimated));
                }),
        ];
    }
}
