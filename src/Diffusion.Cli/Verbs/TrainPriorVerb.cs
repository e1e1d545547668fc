using System.CommandLine;
using Diffusion.Cli.Options;
using Diffusion.Cli.Shell;
using Diffusion.Networks;
using Diffusion.Training;

namespace Diffusion.Cli.Verbs;

/// <summary><c>diffusion train prior</c>: trains an epsilon prior on photographs, or goes on with one.</summary>
internal sealed class TrainPriorVerb : TrainingVerb
{
    private readonly Option<int?> _channels,
        _blocks,
        _patch;
    private readonly Option<double[]> _multipliers;
    private readonly Option<bool> _edm,
        _local;

    public TrainPriorVerb()
        : base(
            "prior",
            "Train a prior on photographs; started again with the same folder, it goes on where it was",
            "Start from this prior instead of random weights; --blocks may be larger than its own"
        )
    {
        _channels = Take(
            new Option<int?>("--channels")
            {
                HelpName = "N",
                Description = "Channels at full resolution (32, or as --from)",
                CustomParser = Values.AtLeast(32, "channels"),
            }
        );
        _multipliers = Take(
            new Option<double[]>("--multipliers")
            {
                HelpName = "N...",
                Description = "Channels of each level as multiples (1 1 2 4 4, or as --from)",
                DefaultValueFactory = _ => [],
                AllowMultipleArgumentsPerToken = true,
            }
        );
        _edm = Take(new Option<bool>("--edm") { Description = "EDM's preconditioning instead of predicting the noise (or as --from)" });
        _blocks = Take(
            new Option<int?>("--blocks")
            {
                HelpName = "N",
                Description = "Residual blocks a level (2, or as --from)",
                CustomParser = Values.AtLeast(1, "blocks"),
            }
        );
        _patch = Take(
            new Option<int?>("--patch")
            {
                HelpName = "N",
                Description = "Cut the picture into patches of NxN pixels first: wider networks for the same time (1, or as --from)",
                CustomParser = Values.AtLeast(1, "pixels"),
            }
        );
        _local = Take(
            new Option<bool>("--local")
            {
                Description =
                    "No normalisation over the picture and no attention: a finite receptive field, so that tiles are exact (or as --from)",
            }
        );
    }

    public override IReadOnlyList<string> Examples =>
        [
            "diffusion train prior photos/ -o my-prior --hours 8",
            "diffusion train prior photos/ -o my-prior --hours 2 --from photo --blocks 2",
            "diffusion restore small.png -A \"downsample:factor=4\" --noise 0.02 --prior my-prior/prior",
        ];

    protected override AdmUNetConfig Architecture(Session session)
    {
        AdmUNetConfig start = session.Get(From) is { } from
            ? TrainingRun.StartOf(from).Architecture
            : new()
            {
                ImageSize = 64,
                ModelChannels = 32,
                NumResBlocks = 2,
                ChannelMult = [1, 1, 2, 4, 4],
                NumHeadChannels = 32,
                UseScaleShiftNorm = true,
                ResblockUpdown = true,
            };
        AdmUNetConfig wanted = start with
        {
            ModelChannels = session.Get(_channels) ?? start.ModelChannels,
            NumResBlocks = session.Get(_blocks) ?? start.NumResBlocks,
            PatchSize = session.Get(_patch) ?? start.PatchSize,
            ChannelMult = session.Get(_multipliers) is { Length: > 0 } given ? given : start.ChannelMult,
        };
        if (session.Get(_local))
            wanted = wanted with { PixelNorm = true, MiddleAttention = false };
        wanted.Validate();
        return wanted;
    }

    protected override TrainingSettings Adapt(TrainingSettings settings, Session session)
    {
        bool asked = session.Get(_edm),
            edm = session.Get(From) is { } from ? TrainingRun.StartOf(from).Edm : asked;
        if (asked && !edm)
            throw new UsageException(
                "--edm does not fit the prior to start from, which predicts the noise",
                Here,
                "Leave out --edm, or start from random weights"
            );
        return edm ? settings with { Objective = new EdmObjective() } : settings;
    }
}
