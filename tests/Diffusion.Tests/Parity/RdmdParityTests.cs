using Diffusion.Solvers;

namespace Diffusion.Tests.Parity;

public sealed class RdmdParityTests
{
    public static TheoryData<string> Cases => ParityCase.All("rdmd");

    [Theory, MemberData(nameof(Cases))]
    public void RDMD_computes_what_the_published_code_computes(string folder)
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
        config.Only("algorithm", "rdmd");
        config.Only("task", "deblur_gaussian", "deblur_motion", "sr_bicubic");
        config.Only("iter_num_U", 1.0);
        config.Only("eta", 0.0);
        config.Text("modelSigma2");
        using SamplerCase sampler = new(reference, run, PublishedOperator.FromCase(reference));
        Assert.Equal(sampler.Schedule.Steps, config.Int("num_train_timesteps"));
        Assert.Equal(sampler.Schedule.Steps - 1, config.Int("t_start"));
        Assert.Equal(sampler.A.Traits.Reduction, config.Int("sf"));
        RdmdSolver solver = new()
        {
            Iterations = config.Int("iter_num"),
            Sequence = config.OneOf("skip_type", "quad", "uniform") == "quad" ? RdmdSequence.Quadratic : RdmdSequence.Uniform,
            RestoreStart = 2 * config.Double("modelSigma1") / 255,
            Lambda = config.Double("lambda_"),
            Tau = config.Double("tau"),
            Zeta = config.Double("zeta"),
            Result = config.Int("sf") > 1 ? RdmdResult.DataConsistent : RdmdResult.Diffused,
            SigmaFloor = 2 * config.Double("sigma_floor"),
            Clip = config.Bool("clip_denoised"),
            Schedule = sampler.Schedule,
        };
        Tensor traced = sampler.AssertSolved(solver);

        // Without a trace the wasted evaluations are left out, and nothing changes.
        int calls = sampler.Prior.Evaluations;
        Tensor plain = solver.Solve(sampler.Problem, sampler.Prior, new SolverContext { Noise = sampler.Replay() });
        Assert.Equal(solver.Evaluations, sampler.Prior.Evaluations - calls);
        Assert.True(plain.eq(traced).all().item<bool>());
    }
}
