using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Operators;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.Solvers;
using Diffusion.Tests.Models;

namespace Diffusion.Tests.Solvers;

/// <summary>The default presets with the prior that ships, on a crop of a photograph that was not used to tune them.</summary>
public sealed class PresetsOnPhotographsTests
{
    private const int Size = 96;

    [Theory]
    [InlineData("cm4ir", "downsample:factor=4", 0.5)]
    [InlineData("cm4ir", "blur:sigma=2", 0.5)]
    [InlineData("cm4ir", "mask:random=0.8", 0.2)]
    [InlineData("rdmd", "downsample:factor=4", 0.3)]
    [InlineData("rdmd", "blur:sigma=2", 0.3)]
    [InlineData("rdmd", "mask:random=0.8", 0.2)]
    [InlineData("dpir", "downsample:factor=4", 0)]
    [InlineData("dpir", "blur:sigma=2", 0)]
    [InlineData("dpir", "mask:random=0.8", 0.4)]
    public void Eight_evaluations_beat_the_classical_baseline(string solver, string operatorSpec, double gain) =>
        Beats(solver, operatorSpec, 0.02, 8, gain);

    /// <summary>
    /// Kernels that nearly vanish at many frequencies, and little noise: a data step that trusts the measurement too much leaves more noise
    /// there than the next level covers.
    /// </summary>
    [Theory]
    [InlineData("blur:kernel=disk,radius=3", 0.005)]
    [InlineData("blur:kernel=motion,length=9,angle=30", 0.005)]
    [InlineData("blur:kernel=motion,length=9,angle=30", 0.02)]
    [InlineData("blur:sigma=2", 0.001)]
    public void Four_evaluations_of_cm4ir_do_not_amplify_noise(string operatorSpec, double noise) =>
        Beats("cm4ir", operatorSpec, noise, 4, 0);

    private static void Beats(string solver, string operatorSpec, double noise, int evaluations, double gain)
    {
        using ComputeScope scope = new();
        using Picture photo = ImageFile.Read(Path.Combine(TestPaths.Repository, "src", "Diffusion.Cli", "demo", "cat.png"));
        Tensor truth = photo.Pixels.narrow(2, (photo.Height - Size) / 2, Size).narrow(3, (photo.Width - Size) / 2, Size).contiguous();
        using LinearOperator a = ShippedOperators.Catalog.Parse(operatorSpec).Bind(new ImageShape(3, Size, Size));
        ImageKey[] keys = [ImageKey.FromName("cat")];
        Tensor y = a.Restrict(a.Apply(truth) + noise * new PhiloxNoise(0, keys).Draw(NoiseRole.Measurement, a.Output.Batch(1)));
        using VpPrior prior = PhotoPrior.Load();
        ISolver tested = SolverCatalog.BuiltIn.Create(solver, null, PresetRequest.For(a, noise, prior.Info, evaluations));
        Tensor x = tested.Solve(new InverseProblem(y, a, noise), prior, new SolverContext { Noise = new PhiloxNoise(0, keys) });
        double restored = Psnr(x, truth),
            baseline = Psnr(Baselines.Classical(a, y, noise, truth).X, truth);
        Assert.True(restored > baseline + gain, $"{restored:F2} dB against {baseline:F2} dB.");
    }

    private static double Psnr(Tensor x, Tensor truth) => -10 * Math.Log10((x.clamp(0, 1) - truth).square().mean().item<float>());
}
