using System.Globalization;
using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Operators;
using Diffusion.Runtime;
using Diffusion.Sampling;
using Diffusion.Solvers;

namespace Diffusion.Training;

/// <summary>
/// Every other step is plain denoising; in the others a crop is degraded at random, restored by four steps of <see cref="MirrorSolver"/>
/// with its preset, and what counts is the error at the end, differentiated through all four. Returned tensors
/// belong to the caller.
/// </summary>
/// <remarks>
/// The network learns what these steps ask of it, which is no longer the posterior mean of any noise level alone: the result is tuned for
/// the solver and for tasks of these kinds, and no zero-shot prior.
/// The loss of an unrolled step is ln(mean squared error), so that easy and hard tasks have equal say.
/// </remarks>
/// <param name="prior">What is known about the prior; the preset looks at it.</param>
/// <param name="seed">Seed of tasks and measurement noise.</param>
public sealed class UnrolledObjective(PriorInfo prior, ulong seed) : TrainingObjective, IDisposable
{
    private const int Steps = 4;
    private readonly EpsilonObjective _denoising = new();

    // An operator must live until the gradient has gone back through it, which is before its thread asks for the next one.
    private readonly ThreadLocal<LinearOperator?> _bound = new(trackAllValues: true);

    /// <inheritdoc/>
    public override Prediction Prediction => Prediction.Epsilon;

    /// <inheritdoc/>
    public override string Note =>
        "fine-tuned through four unrolled steps of the solver mirror on random tasks (downsampling by 2 or 4, blurs of sigma "
        + "1 to 3, 50 to 90 % of the pixels missing; noise 0.005 to 0.05), every other step plain denoising; not zero-shot";

    /// <inheritdoc/>
    public override bool IsBalanced(long step) => step % 2 == 0;

    /// <inheritdoc/>
    public override Tensor Loss(
        AdmUNet network,
        NoiseSchedule schedule,
        Tensor clean,
        Tensor noise,
        IReadOnlyList<double> sigmas,
        long step
    )
    {
        if (IsBalanced(step))
            return _denoising.Loss(network, schedule, clean, noise, sigmas, step);
        Draws draws = new(seed ^ 0x0471, step, -1);
        OperatorSpec task = ShippedOperators.Catalog.Parse(Task(ref draws, step));
        double sigma = draws.LogUniform(0.005, 0.05);
        _bound.Value?.Dispose();
        LinearOperator a = _bound.Value = task.Bind(new ImageShape((int)clean.shape[1], (int)clean.shape[2], (int)clean.shape[3]));
        MirrorSolver solver = MirrorPresets.FewStep(PresetRequest.For(a, sigma, prior, Steps));
        Tensor y;
        using (torch.no_grad())
        {
            Tensor exact = a.Apply(clean);
            ImageKey[] keys = [.. sigmas.Select(s => new ImageKey(BitConverter.DoubleToUInt64Bits(s)))];
            y = exact + 2 * sigma * new PhiloxNoise(seed, keys).Draw(NoiseRole.Measurement, exact.shape);
        }
        return (Restore(network, schedule, solver, a, y, 2 * sigma, noise) - clean).square().mean([1, 2, 3]).log();
    }

    /// <summary>
    /// Four steps of <see cref="MirrorSolver"/> without turns, differentiable with respect to the network.
    /// </summary>
    /// <param name="network">Predicts the noise.</param>
    /// <param name="schedule">Its schedule.</param>
    /// <param name="solver">Levels and weights.</param>
    /// <param name="a">The operator; must live until the gradient has been computed.</param>
    /// <param name="y">The measurement of a picture on [-1,1].</param>
    /// <param name="sigmaY">Its noise on that scale.</param>
    /// <param name="noise">The start, standard normal in the shape of the picture.</param>
    public static Tensor Restore(
        AdmUNet network,
        NoiseSchedule schedule,
        MirrorSolver solver,
        LinearOperator a,
        Tensor y,
        double sigmaY,
        Tensor noise
    )
    {
        double[] sigmas = solver.Levels;
        Tensor x,
            x0;
        using (torch.no_grad())
            x = a.Guess(y) + sigmas[0] * noise;
        for (int i = 0; ; i++)
        {
            double s = sigmas[i],
                rho = solver.Lambda * Math.Pow(sigmaY / s, 2);
            double[] level = [.. Enumerable.Repeat(s, (int)x.shape[0])];
            x0 = (x - s * Epsilon(network, schedule, x, level)).clamp(-1, 1);
            if (i == Steps - 1)
                return x0;
            Tensor z = (x0 - x) / s,
                measured;
            using (torch.no_grad())
                measured = a.PseudoInverse(y, rho);
            x = x0 - BackProjection.apply(x0, a, rho) + measured + sigmas[i + 1] * z;
        }
    }

    private static string Task(ref Draws draws, long step) =>
        draws.Below(3) switch
        {
            0 => draws.Uniform() < 0.3 ? "downsample:factor=2" : "downsample:factor=4",
            1 => string.Create(CultureInfo.InvariantCulture, $"blur:sigma={draws.Uniform(1, 3):0.00}"),
            _ => string.Create(CultureInfo.InvariantCulture, $"mask:random={draws.Uniform(0.5, 0.9):0.00},seed={step}"),
        };

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (LinearOperator? a in _bound.Values)
            a?.Dispose();
        _bound.Dispose();
    }

    /// <summary>A^T (A A^T + rho I)^-1 A x, a symmetric map and so its own derivative's.</summary>
    private sealed class BackProjection : torch.autograd.SingleTensorFunction<BackProjection>
    {
        public override string Name => nameof(BackProjection);

        public override Tensor forward(torch.autograd.AutogradContext context, params object[] arguments)
        {
            context.save_data("a", arguments[1]);
            context.save_data("rho", arguments[2]);
            return Map((Tensor)arguments[0], (LinearOperator)arguments[1], (double)arguments[2]);
        }

        public override List<Tensor> backward(torch.autograd.AutogradContext context, Tensor gradient) =>
            [Map(gradient, (LinearOperator)context.get_data("a"), (double)context.get_data("rho")), null!, null!];

        private static Tensor Map(Tensor x, LinearOperator a, double rho)
        {
            using IDisposable noGrad = torch.no_grad();
            using Tensor measured = a.Apply(x);
            return a.PseudoInverse(measured, rho);
        }
    }
}
