using Diffusion.Models;
using Diffusion.Sampling;
using Diffusion.Solvers;

namespace Diffusion.Tests.Parity;

public sealed class Cm4irParityTests
{
    public static TheoryData<string> Cases => ParityCase.All("cm4ir");

    [Theory, MemberData(nameof(Cases))]
    public void CM4IR_computes_what_the_published_code_computes(string folder)
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
        config.Only("algorithm", "cm4ir");
        config.Only("task", "deblur_gauss", "inpainting", "sr_bicubic");
        config.Only("clip_x0", true);
        config.Only("mu", 1.0);
        config.Only("mu_factor", 1.0);
        Assert.Equal(config.Bool("class_conditional"), reference.HasInput("classes"));
        using SamplerCase sampler = new(reference, run, PublishedOperator.FromCase(reference));
        Cm4irSolver solver = new()
        {
            Steps = config.Int("T_sampling"),
            StartIndex = config.Int("iN"),
            Gamma = config.Double("gamma"),
            AlphaMax = config.Double("alpha_max"),
            Eta = config.Double("eta"),
            Zeta = config.Double("zeta"),
            Deltas = config.Doubles("deltas"),
            DeltaInjection = config.Int("deltas_injection_type") switch
            {
                0 => DeltaInjection.Time,
                1 => DeltaInjection.TimeAndScalings,
                int other => throw new ArgumentException($"Unknown deltas_injection_type {other}."),
            },
            MinSigma = config.Double("sigma_t_min"),
            MaxSigma = config.Double("sigma_t_max"),
            Schedule = sampler.Schedule,
        };
        sampler.AssertSolved(solver);
        Assert.Equal(solver.Evaluations, sampler.Prior.Evaluations);
        Assert.Equal(solver.Steps, config.Doubles("deltas").Length);

        // What the network was told and what it answered.
        KarrasScalings scalings = new(config.Double("sigma_data"), config.Double("sigma_min"));
        for (int i = 0; i < solver.Steps; i++)
        {
            RecordingPrior.Call call = sampler.Prior.Calls[i];
            double told = call.Condition.NetworkSigma ?? call.Sigma;
            if (reference.Outputs.Contains($"step{i}.t_net"))
                sampler.Assert($"step{i}.t_net", torch.tensor([(float)KarrasScalings.Time(told)]));
            if (i > 0 || !reference.Outputs.Contains("step0.net"))
                continue;
            double skip = scalings.Skip(call.Sigma),
                gain = scalings.Out(call.Sigma);
            sampler.Assert("step0.scal", torch.tensor([(float)skip, (float)gain, (float)scalings.In(call.Sigma)]));
            sampler.Assert("step0.net", (call.Denoised - skip * call.X) / gain);
        }
        if (reference.Outputs.Contains("op.A1d"))
        {
            Tensor u = reference.Input("op.U"),
                s = reference.Input("op.s"),
                v = reference.Input("op.V");
            sampler.Assert("op.A1d", (u * s).matmul(v.narrow(1, 0, s.shape[0]).t()));
        }
    }
}
