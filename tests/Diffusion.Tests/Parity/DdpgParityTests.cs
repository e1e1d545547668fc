using Diffusion.Solvers;

namespace Diffusion.Tests.Parity;

public sealed class DdpgParityTests
{
    public static TheoryData<string> Cases => ParityCase.All("ddpg");

    [Theory, MemberData(nameof(Cases))]
    public void DDPG_computes_what_the_published_code_computes(string folder)
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
        config.Only("algorithm", "ddpg");
        config.Only("task", "deblur_fft", "sr_bicubic", "sr_fft");
        config.Only("clip_x0", false);
        using SamplerCase sampler = new(reference, run, PublishedOperator.FromCase(reference));
        DdpgSolver solver = new()
        {
            Steps = config.Int("T_sampling"),
            InjectNoise = config.Int("inject_noise") == 1,
            Gamma = config.Double("gamma"),
            Zeta = config.Double("zeta"),
            EtaTilde = config.Double("eta_tilde"),
            Xi = config.Double("xi"),
            ScaleLs = config.Double("scale_ls"),
            StepSize = config.Int("step_size_mode") switch
            {
                0 => DdpgStepSize.Constant,
                1 => DdpgStepSize.Falling,
                2 => DdpgStepSize.FallingLeastSquares,
                int other => throw new ArgumentException($"step_size_mode {other}"),
            },
            DampingFloor = 1e-4,
            PublishedTables = true,
            Schedule = sampler.Schedule,
        };
        sampler.AssertSolved(solver);
        Assert.Equal(solver.Evaluations, sampler.Prior.Evaluations);
    }
}
