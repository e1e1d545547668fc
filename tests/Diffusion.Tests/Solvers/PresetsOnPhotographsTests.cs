using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Operators;
using Diffusion.Priors;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.Solvers;
using Diffusion.Tests.Priors;

namespace Diffusion.Tests.Solvers;

/// <summary>The default presets with the prior that ships, on a crop of a photograph that was not used to tune them.</summary>
public sealed class PresetsOnPhotographsTests
{
    private const int Size = 96;
    private const double Noise = 0.02;

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
    public void Eight_evaluations_beat_the_classical_baseline(string solver, string operatorSpec, double gain)
    {
        using ComputeScope scope = new();
        using Picture photo = ImageFile.Read(Path.Combine(TestPaths.Repository, "src", "Diffusion.Cli", "demo", "cat.png"));
        Tensor truth = photo.Pixels.narrow(2, (photo.Height - Size) / 2, Size).narrow(3, (photo.Width - Size) / 2, Size).contiguous();
        using LinearOperator a = ShippedOperators.Catalog.Parse(operatorSpec).Bind(new ImageShape(3, Size, Size));
        ImageKey[] keys = [ImageKey.FromName("cat")];
        Tensor y = a.Restrict(a.Apply(truth) + Noise * new PhiloxNoise(0, keys).Draw(NoiseRole.Measurement, a.Output.Batch(1)));
        using EpsilonPrior prior = PhotoPrior.Load();
        ISolver tested = SolverCatalog.BuiltIn.Create(solver, null, PresetRequest.For(a, Noise, prior.Info, 8));
        Tensor x = tested.Solve(new InverseProblem(y, a, Noise), prior, new SolverContext { Noise = new PhiloxNoise(0, keys) });
        double restored = Psnr(x, truth), baseline = Psnr(Baselines.Classical(a, y, Noise, truth).X, truth);
        Assert.True(restored > baseline + gain, $"{restored:F2} dB against {baseline:F2} dB.");
    }

    private static double Psnr(Tensor x, Tensor truth) => -10 * Math.Log10((x.clamp(0, 1) - truth).square().mean().item<float>());
}
