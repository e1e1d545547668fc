using Diffusion.Cli.Shell;
using Diffusion.Networks;
using Diffusion.Training;

namespace Diffusion.Cli.Verbs;

/// <summary><c>diffusion train consistency</c>: tunes an epsilon prior into a consistency model for solvers of a few steps.</summary>
internal sealed class TrainConsistencyVerb()
    : TrainingVerb("consistency", "Tune a prior into a consistency model, for solvers of a few steps", "The prior that is tuned")
{
    public override IReadOnlyList<string> Examples =>
        [
            "diffusion train consistency photos/ -o photo-cm --hours 4 --from photo",
            "diffusion restore small.png -A \"downsample:factor=4\" --noise 0.02 --prior photo-cm/prior -s cm4ir -n 4",
        ];

    protected override AdmUNetConfig Architecture(Session session) => EpsilonArchitecture(session);

    /// <summary>Only the levels that few-step solvers visit.</summary>
    protected override TrainingSettings Adapt(TrainingSettings settings, Session session) =>
        settings with
        {
            Objective = new ConsistencyObjective(),
            Levels = settings.Levels with { Max = 1.2, AboveShare = 0 },
        };
}
