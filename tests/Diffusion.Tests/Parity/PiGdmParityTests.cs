using Diffusion.Solvers;

namespace Diffusion.Tests.Parity;

public sealed class PiGdmParityTests
{
    public static TheoryData<string> Cases => ParityCase.All("pigdm");

    [Theory, MemberData(nameof(Cases))]
    public void PiGDM_computes_what_the_published_code_computes(string folder)
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
        config.Only("algorithm", "pigdm");
        config.Only("task", "inpainting", "sr_average");
        config.Only("clip_x0", false);
        using SamplerCase sampler = new(reference, run, PublishedOperator.FromCase(reference));
        PiGdmSolver solver = new()
        {
            Times = config.Ints("time_steps"),
            Eta = config.Double("eta"),
            Weight = config.Double("grad_term_weight"),
            Damped = false,
            KeepEpsilon = config.Bool("awd"),
            Mcg = config.Bool("mcg"),
            HardReplacement = config.Bool("hard_replacement"),
            PublishedTables = true,
            Schedule = sampler.Schedule,
        };
        sampler.AssertSolved(
            solver,
            (name, value) => name.EndsWith(".mat", StringComparison.Ordinal) ? value.flatten(1) : value,
            clipped: false
        );
        Assert.Equal(solver.Evaluations, sampler.Prior.Evaluations);
    }
}
