using Diffusion.Solvers;

namespace Diffusion.Tests.Parity;

public sealed class RedDiffParityTests
{
    public static TheoryData<string> Cases => ParityCase.All("reddiff");

    [Theory, MemberData(nameof(Cases))]
    public void RED_diff_computes_what_the_published_code_computes(string folder)
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
        config.Only("algorithm", "reddiff");
        config.Only("task", "inpainting", "sr_average");
        config.Only("clip_x0", false);
        config.Only("awd", true);
        using SamplerCase sampler = new(reference, run, PublishedOperator.FromCase(reference));
        double[] betas = config.Doubles("adam_betas");
        RedDiffSolver solver = new()
        {
            Times = config.Ints("time_steps"),
            LearningRate = config.Double("lr"),
            Beta1 = betas[0],
            Beta2 = betas[1],
            AdamEpsilon = config.Double("adam_eps"),
            DenoiserWeight = config.Double("grad_term_weight"),
            MeasurementWeight = config.Double("obs_weight"),
            WeightOverTime = config.OneOf(
                "denoise_term_weight",
                "const",
                "linear",
                "log",
                "power2over3",
                "sqrt",
                "square",
                "trunc_linear"
            ) switch
            {
                "const" => RedDiffWeight.Const,
                "log" => RedDiffWeight.Log,
                "power2over3" => RedDiffWeight.Power2over3,
                "sqrt" => RedDiffWeight.Sqrt,
                "square" => RedDiffWeight.Square,
                "trunc_linear" => RedDiffWeight.TruncLinear,
                _ => RedDiffWeight.Linear,
            },
            SigmaX0 = config.Double("sigma_x0"),
            StartFromPseudoInverse = true,
            OmitLastStep = true,
            PublishedTables = true,
            Schedule = sampler.Schedule,
        };
        sampler.AssertSolved(solver);
        Assert.Equal(solver.Evaluations, sampler.Prior.Evaluations);
    }
}
