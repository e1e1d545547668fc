using Diffusion.Inverse;
using Diffusion.Restoration;

namespace Diffusion.Evaluation;

/// <summary>The classical restorations that fit an operator. The last one is what solvers are compared with.</summary>
internal static class BenchBaselines
{
    /// <summary>Their names and how they are made; pictures are [1,C,H,W] on [0,1].</summary>
    /// <param name="a">The operator.</param>
    /// <param name="y">The measurement.</param>
    /// <param name="noise">Standard deviation of its noise.</param>
    /// <param name="clean">The original: Tikhonov's eta is the one that comes nearest to it, which flatters the baseline.</param>
    public static IReadOnlyList<(string Name, Func<Tensor> Restore)> For(LinearOperator a, Tensor y, double noise, Tensor clean) =>
        a.Traits switch
        {
            { Classical: { } name } => [("Tikhonov", () => Baselines.Tikhonov(a, y, noise, clean)), (name, () => a.Guess(y))],
            { Mask: true } => [("median fill", () => Baselines.MedianFill(a, y)), ("harmonic fill", () => Baselines.HarmonicFill(a, y))],
            { Reduction: > 1 } when a.Output.IsImage && a.Output.Image.Channels == a.Input.Channels =>
            [
                ("Tikhonov", () => Baselines.Tikhonov(a, y, noise, clean)),
                ("bicubic", () => Baselines.Bicubic(a, y)),
            ],
            { Blur: true } when a.Output.IsImage =>
            [
                ("Richardson-Lucy", () => Baselines.RichardsonLucy(a, y, clean)),
                ("Tikhonov", () => Baselines.Tikhonov(a, y, noise, clean)),
            ],
            _ when !a.Output.IsImage =>
            [
                ("Tikhonov", () => Baselines.Tikhonov(a, y, noise, clean)),
                ("TV", () => Baselines.LeastVariation(a, y, noise, clean)),
            ],
            _ => [("Tikhonov", () => Baselines.Tikhonov(a, y, noise, clean))],
        };
}
