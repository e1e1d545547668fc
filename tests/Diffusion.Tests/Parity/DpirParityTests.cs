using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Solvers;

namespace Diffusion.Tests.Parity;

public sealed class DpirParityTests
{
    public static TheoryData<string> Cases => ParityCase.All("dpir");

    [Theory, MemberData(nameof(Cases))]
    public void DPIR_computes_what_the_published_code_computes(string folder)
    {
        using ParityCase reference = ParityCase.Open(folder);
        foreach (SamplerRun run in SamplerCase.Runs)
            Compare(reference, run);
        reference.AssertAllOutputsTested();
        reference.Config.AssertAllKeysUsed();
    }

    private static void Compare(ParityCase reference, SamplerRun run)
    {
        ConfigNode config = reference.Config;
        config.Only("algorithm", "dpir");
        string task = config.OneOf("task", "deblur", "sisr"),
            last = config.OneOf("modelSigma2", "255*sigma_y", "max(sf,255*sigma_y)");
        int factor = config.Int("sf");
        Assert.Equal(task == "sisr", factor > 1);
        double noise = 255 * config.Double("sigma_y");
        DpirSolver solver = new()
        {
            Iterations = config.Int("iter_num"),
            SigmaStart = 2 * config.Double("modelSigma1") / 255,
            SigmaEnd = 2 * (last == "255*sigma_y" ? noise : Math.Max(factor, noise)) / 255,
            Lambda = config.Double("rho_factor"),
            SigmaFloor = 2 * config.Double("sigma_floor"),
            Turns = config.Bool("x8"),
            Start = SolverStart.Measurement,
        };
        // Super-resolution is measured by bicubic reduction and solved with a kernel that comes near it.
        Tensor? clean = factor > 1 ? Resize.Matlab(reference.Input("x_orig"), 1, factor) : null;
        using SamplerCase sampler = new(reference, run, Operator(reference), PixelRange.Unit, clean, Denoiser(reference, run.Policy));
        // The solver works on [-1,1], the published program on [0,1].
        sampler.AssertSolved(solver, (name, value) => name.EndsWith(".rho", StringComparison.Ordinal) ? value
            : name.EndsWith(".sigma", StringComparison.Ordinal) ? value / 2
            : (value + 1) / 2);
        Assert.Equal(solver.Evaluations, sampler.Prior.Evaluations);
    }

    private static PublishedCircularConvolution Operator(ParityCase reference)
    {
        Tensor picture = reference.Input("x_orig");
        ImageShape shape = new((int)picture.shape[1], (int)picture.shape[2], (int)picture.shape[3]);
        return new PublishedCircularConvolution(shape, reference.Input("op.kernel"), reference.Config.Int("sf"), rows: false, flat: false);
    }

    private static DenoisingPrior Denoiser(ParityCase reference, ComputePolicy policy)
    {
        ConfigNode network = reference.Config.Object("network");
        network.Only("kind", "UNetRes (DRUNet)");
        network.Only("act_mode", "R");
        network.Only("downsample_mode", "strideconv");
        network.Only("upsample_mode", "convtranspose");
        network.Only("bias", false);
        reference.Config.Only("pad_modulo", 16.0);
        DruNet drunet = new(new DruNetConfig(network.Ints("nc"), network.Int("nb"), network.Int("in_nc"), network.Int("out_nc")), policy);
        reference.LoadInto(drunet);
        drunet.Arrange();
        return new DenoisingPrior(
            drunet,
            new PriorInfo
            {
                Name = "drunet",
                Kind = PriorKind.PosteriorMean,
                NoiseRange = (0, 80),
            }
        );
    }
}
