using Diffusion.Models;
using Diffusion.Runtime;
using Diffusion.Sampling;
using Diffusion.Solvers;

namespace Diffusion.Tests.Parity;

public sealed class DdrmParityTests
{
    public static TheoryData<string> Cases => ParityCase.All("ddrm");

    [Theory, MemberData(nameof(Cases))]
    public void DDRM_computes_what_the_published_code_computes(string folder)
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
        config.Only("algorithm", "ddrm");
        config.Only("task", "colorization", "deblur_gauss", "inpainting", "sr_average", "sr_bicubic");
        config.Only("clip_x0", false);
        PublishedSvd svd = (PublishedSvd)PublishedOperator.FromCase(reference);
        // Draws of weight 0 may be listed or not; the solver asks for those of the missing coefficients and not for those of the noisy
        // ones.
        bool after = config.Double("eta_A") > 0,
            missing = config.Double("eta_C") > 0 || reference.DrawLabels.Any(label => label.Contains("missing", StringComparison.Ordinal));
        using SamplerCase sampler = new(reference, run, svd, drawn: label => after || !label.Contains(" after", StringComparison.Ordinal));
        DdrmSolver solver = new()
        {
            Steps = config.Int("T_sampling"),
            EtaA = config.Double("eta_A"),
            EtaB = config.Double("eta_B"),
            EtaC = config.Double("eta_C"),
            ExactEnd = false,
            PublishedTables = true,
            Schedule = sampler.Schedule,
        };
        Assert.Equal(TimeSequences.Strided(sampler.Schedule.Steps, solver.Steps).Reverse(), config.Ints("time_steps"));
        sampler.AssertSolved(
            solver,
            (name, value) => name.EndsWith(".spectral", StringComparison.Ordinal) ? svd.ToCoefficients(value) : value,
            recorded => new BasisNoise(recorded, svd, sampler, missing)
        );
        Assert.Equal(solver.Evaluations, sampler.Prior.Evaluations);
    }

    /// <summary>
    /// The published code draws noise as coefficients of the full basis where we draw a picture: the picture of those coefficients.
    /// </summary>
    private sealed class BasisNoise(NoiseSource recorded, PublishedSvd svd, SamplerCase sampler, bool missing) : NoiseSource
    {
        public override Tensor Draw(NoiseRole role, params ReadOnlySpan<long> shape) =>
            role switch
            {
                NoiseRole.Start => svd.FromCoefficients(recorded.Draw(role, shape).flatten(1)),
                NoiseRole.Step when !missing => torch.zeros(shape),
                NoiseRole.Step => svd.FromCoefficients(recorded.Draw(NoiseRole.Spectral, shape[0], svd.Input.Count)),
                _ when sampler.A != svd => Measured(recorded.Draw(role, shape)),
                _ => recorded.Draw(role, shape),
            };

        /// <summary>A shipped operator has another basis of the same measurements.</summary>
        private Tensor Measured(Tensor coefficients) =>
            sampler.A.Spectrum!.ToMeasurement(sampler.FromPublished(svd.FromMeasured(coefficients)));
    }
}
