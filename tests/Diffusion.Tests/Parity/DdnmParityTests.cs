using Diffusion.Inverse;
using Diffusion.Runtime;
using Diffusion.Solvers;

namespace Diffusion.Tests.Parity;

public sealed class DdnmParityTests
{
    public static TheoryData<string> Cases => ParityCase.All("ddnm");

    [Theory, MemberData(nameof(Cases))]
    public void DDNM_computes_what_the_published_code_computes(string folder)
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
        config.Only("task", "colorization", "inpainting", "sr_average", "sr_bicubic");
        config.Only("clip_x0", false);
        bool simplified = config.OneOf("algorithm", "ddnm", "ddnm-plus", "ddnm-simplified") == "ddnm-simplified";
        LinearOperator a = simplified ? Simplified(reference) : PublishedOperator.FromCase(reference);
        // The simplified program never adds noise to y: its noise level only weighs.
        using SamplerCase sampler = new(reference, run, a, noiseless: simplified);
        DdnmSolver solver = new()
        {
            Steps = config.Int("T_sampling"),
            Eta = config.Double("eta"),
            TravelLength = config.Int("travel_length"),
            TravelRepeat = config.Int("travel_repeat"),
            NoiseModel = simplified ? DdnmNoise.Simplified : DdnmNoise.Spectral,
            NoiseBasis = simplified ? null : picture => FromCoefficients((PublishedSvd)a, picture),
            PublishedTables = true,
            Schedule = sampler.Schedule,
        };
        if (!simplified)
            Assert.Equal(config.String("algorithm") == "ddnm", sampler.NoiseScale == 0);
        sampler.AssertSolved(
            solver,
            draws: solver.Eta > 0 ? null : recorded => new ListedMoves(recorded, reference.DrawLabels),
            step: "move"
        );
        Assert.Equal(solver.Evaluations, sampler.Prior.Evaluations);
    }

    /// <summary>Without fresh noise a move's draw has weight 0, and may be listed or not.</summary>
    private sealed class ListedMoves(NoiseSource recorded, IReadOnlyList<string> labels) : NoiseSource
    {
        private int _move;

        public override Tensor Draw(NoiseRole role, params ReadOnlySpan<long> shape) =>
            role == NoiseRole.Step && !labels.Contains($"move {_move++}") ? torch.zeros(shape) : recorded.Draw(role, shape);
    }

    /// <summary>The simplified program's operators are pairs of functions on pictures.</summary>
    private static LinearOperator Simplified(ParityCase reference)
    {
        ConfigNode node = reference.Config.Object("operator");
        node.Only("pinv", "replicate");
        if (node.OneOf("kind", "average_pooling", "colorization", "mask") != "colorization")
            return PublishedOperator.FromCase(reference);
        node.Text("order");
        if (node.Has("weights"))
            Assert.All(node.Doubles("weights"), weight => Assert.Equal(1.0 / 3, weight, 1e-3));
        return new ThriceGray(new ImageShape(3, (int)reference.Input("x_orig").shape[2], (int)reference.Input("x_orig").shape[3]));
    }

    /// <summary>The mean of the channels, thrice, undone by taking it as it is.</summary>
    private sealed class ThriceGray(ImageShape shape) : LinearOperator
    {
        public override ImageShape Input => shape;
        public override MeasurementShape Output { get; } = new(shape);

        public override Tensor Apply(Tensor x) => x.mean([1], keepdim: true).expand(-1, shape.Channels, -1, -1).contiguous();

        public override Tensor PseudoInverse(Tensor y, double eta = 0, SolveRequest? request = null) => y.clone();
    }

    /// <summary>
    /// What the published DDNM+ makes of noise and eps: their values in the order of the coefficients, but not transformed.
    /// </summary>
    private static Tensor FromCoefficients(PublishedSvd svd, Tensor picture)
    {
        return svd.FromCoefficients(
            svd switch
            {
                PublishedColorization => picture.flatten(1),
                PublishedPooling => Patches(picture),
                PublishedMask => svd.ToCoefficients(picture),
                _ => throw new InvalidOperationException($"The published DDNM+ does not support {svd.GetType().Name}."),
            }
        );

        // The first pixel of every block, then the others of each.
        Tensor Patches(Tensor x)
        {
            int f = svd.Traits.Reduction;
            Tensor patches = x.reshape(x.shape[0], svd.Input.Channels, svd.Input.Height / f, f, svd.Input.Width / f, f)
                .permute(0, 1, 2, 4, 3, 5)
                .reshape(x.shape[0], -1, f * f);
            return torch.cat([patches.narrow(2, 0, 1).flatten(1), patches.narrow(2, 1, f * f - 1).flatten(1)], 1);
        }
    }
}
