using Diffusion.Solvers;

namespace Diffusion.Tests.Parity;

public sealed class DpsParityTests
{
    public static TheoryData<string> Cases => ParityCase.All("dps");

    [Theory, MemberData(nameof(Cases))]
    public void DPS_computes_what_the_published_code_computes(string folder)
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
        config.Only("algorithm", "dps");
        config.Only("task", "gaussian_blur", "inpainting", "motion_blur", "super_resolution");
        config.Only("method", "ps");
        config.Only("eta", 0.0);
        config.Only("model_var_type", "learned_range");
        using SamplerCase sampler = new(reference, run, PublishedOperator.FromCase(reference));
        Assert.Equal(sampler.Schedule.Steps, config.Int("steps"));
        DpsSolver solver = new()
        {
            Steps = config.Int("timestep_respacing"),
            Sampler = config.OneOf("sampler", "ddim", "ddpm") == "ddim" ? DpsSampler.Ddim : DpsSampler.Ddpm,
            Loss = DpsLoss.Norm,
            Scale = config.Double("scale"),
            Clip = config.Bool("clip_denoised"),
            Schedule = sampler.Schedule,
        };
        sampler.AssertSolved(solver);
        Assert.Equal(solver.Evaluations, sampler.Prior.Evaluations);
    }
}
