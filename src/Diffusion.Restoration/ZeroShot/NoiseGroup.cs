using Diffusion.Inverse;
using Diffusion.Pipeline;
using Diffusion.Restoration;
using Diffusion.Solvers;

namespace Diffusion.ZeroShot;

/// <summary>The pictures of a batch that have equal noise, and the solver that it asks for.</summary>
/// <param name="Pictures">Their indices.</param>
/// <param name="Noises">Their noise.</param>
/// <param name="Solver">The solver.</param>
/// <param name="Choice">What is said about it.</param>
internal sealed record NoiseGroup(IReadOnlyList<int> Pictures, IReadOnlyList<PictureNoise> Noises, ISolver Solver, MethodChoice Choice)
{
    /// <summary>What their noise has in common.</summary>
    public PictureNoise Noise => Noises[0];

    /// <summary>How data steps without a closed form went.</summary>
    public SolveLog Solves { get; } = new();

    /// <summary>The groups of a batch, in the order of their first pictures.</summary>
    /// <param name="method">The method.</param>
    /// <param name="problem">The operator, of the whole or of the area that stands for it.</param>
    /// <param name="batch">The measurements.</param>
    /// <param name="measured">What that operator measured of each.</param>
    /// <param name="part">What that operator measures, of a whole measurement or something in its shape.</param>
    public static IReadOnlyList<NoiseGroup> Of(
        ZeroShotMethod method,
        BoundProblem problem,
        IReadOnlyList<Measurement> batch,
        Func<int, Tensor> measured,
        Func<Tensor, Tensor> part
    )
    {
        using DisposeScope scope = torch.NewDisposeScope();
        PictureNoise[] noises = [.. batch.Select((m, i) => NoiseOf(m, measured(i).to(method.Policy.Device)))];
        return
        [
            .. Enumerable
                .Range(0, batch.Count)
                .GroupBy(picture => noises[picture].Key)
                .Select(group =>
                {
                    int[] pictures = [.. group];
                    PictureNoise noise = noises[pictures[0]];
                    (string name, ISolver solver) = SolverChoice.Create(
                        method.Options,
                        method.Solvers,
                        problem.Request(noise.Sigma, method.PriorInfo, method.Options.Steps) with
                        {
                            Uneven = noise.IsUneven,
                        }
                    );
                    MethodChoice choice = new(name, solver.Evaluations, noise.Level, noise.Estimated) { NoiseModel = noise.Name };
                    return new NoiseGroup(pictures, [.. pictures.Select(i => noises[i])], solver, choice);
                }),
        ];

        PictureNoise NoiseOf(Measurement measurement, Tensor y)
        {
            if (method.MapOf(measurement) is { } map)
                return PictureNoise.Of(map, part(map.For(measurement)).to(y.device), problem.A);
            (NoiseModel model, bool estimated) = NoiseLevel.Of(method.Options, measurement, problem.A, y);
            return PictureNoise.Of(model, estimated, problem.A, y, measurement.Name);
        }
    }
}
