using Diffusion.Inverse;
using Diffusion.Solvers;

namespace Diffusion.Tests.Parity;

public sealed class DiffPirParityTests
{
    public static TheoryData<string> Cases => ParityCase.All("diffpir");

    [Theory, MemberData(nameof(Cases))]
    public void DiffPIR_computes_what_the_published_code_computes(string folder)
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
        config.Only("algorithm", "diffpir");
        config.Only("task", "deblur", "inpaint", "sr");
        config.Only("iter_num_U", 1.0);
        config.Only("eta", 0.0);
        (LinearOperator a, Tensor clean, LinearOperator? shipped) = Measure(reference);
        using SamplerCase sampler = new(reference, run, a, clean: clean, shipped: shipped);
        Assert.Equal(sampler.Schedule.Steps, config.Int("num_train_timesteps"));
        Assert.Equal(sampler.Schedule.Steps - 1, config.Int("t_start"));
        Assert.Equal(a.Traits.Reduction, config.Int("sf"));
        DiffPirSolver solver = new()
        {
            Steps = config.Int("iter_num"),
            Spacing = config.OneOf("skip_type", "quad", "uniform") == "quad" ? DiffPirSpacing.Quad : DiffPirSpacing.Uniform,
            Lambda = config.Double("lambda_"),
            Zeta = config.Double("zeta"),
            GuidanceScale = config.Double("guidance_scale"),
            SigmaFloor = 2 * config.Double("sigma_floor"),
            Clip = config.Bool("clip_denoised"),
            Start = SolverStart.Measurement,
            Result = DiffPirResult.Renoised,
            PublishedTables = true,
            Schedule = sampler.Schedule,
        };
        Tensor traced = sampler.AssertSolved(solver);

        // Without a trace the wasted evaluation is left out, and nothing changes.
        int calls = sampler.Prior.Evaluations;
        Tensor plain = solver.Solve(sampler.Problem, sampler.Prior, new SolverContext { Noise = sampler.Replay() });
        Assert.Equal(solver.Evaluations, sampler.Prior.Evaluations - calls);
        Assert.True(plain.eq(traced).all().item<bool>());
    }

    /// <summary>
    /// What the data step takes for the operator, and the measurement before noise: in super-resolution another operator makes it.
    /// </summary>
    private static (LinearOperator A, Tensor Clean, LinearOperator? Shipped) Measure(ParityCase reference)
    {
        Tensor original = reference.Input("x_orig");
        LinearOperator published = PublishedOperator.FromCase(reference);
        ConfigNode node = reference.Config.Object("operator");
        switch (node.OneOf("kind", "bicubic_antialiased_downsampling", "circular_conv", "mask"))
        {
            case "mask":
                BlackMask mask = new((PublishedDenseMask)published);
                return (mask, mask.Restrict(mask.Apply(original)), ShippedOperator.Of(published));
            case "circular_conv":
                return (published, reference.HasInput("y_clean") ? reference.Input("y_clean") : published.Apply(original), null);
            default:
                node.Only("data_step", "closed-form FFT with op.kernel");
                return (
                    new PublishedCircularConvolution(
                        published.Input,
                        reference.Input("op.kernel"),
                        node.Int("factor"),
                        rows: false,
                        flat: false
                    ),
                    published.Apply(original),
                    null
                );
        }
    }

    /// <summary>Missing pixels of y are black: -1.</summary>
    private sealed class BlackMask(PublishedDenseMask mask) : LinearOperator
    {
        public override ImageShape Input => mask.Input;
        public override MeasurementShape Output => mask.Output;
        public override OperatorTraits Traits => mask.Traits;

        public override Tensor Apply(Tensor x) => mask.Apply(x);

        public override Tensor Adjoint(Tensor y) => mask.Adjoint(y);

        public override Tensor PseudoInverse(Tensor y, double eta = 0, SolveRequest? request = null) => mask.PseudoInverse(y, eta);

        public override Tensor Restrict(Tensor y) => torch.where(mask.Mask.gt(0), y, -1);
    }
}
