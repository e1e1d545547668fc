using Diffusion.Cli.Shell;
using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Training;

namespace Diffusion.Cli.Verbs;

/// <summary><c>diffusion train unrolled</c>: fine-tunes an epsilon prior through the steps of the few-step solver.</summary>
internal sealed class TrainUnrolledVerb()
    : TrainingVerb(
        "unrolled",
        "Fine-tune a prior through four steps of cm4ir on random tasks: better at those, and no longer a zero-shot prior",
        "The prior that is tuned"
    )
{
    public override IReadOnlyList<string> Examples =>
        [
            "diffusion train unrolled photos/ -o photo-tuned --hours 2 --from photo",
            "diffusion restore small.png -A \"downsample:factor=4\" --noise 0.02 --prior photo-tuned/prior -s cm4ir -n 4",
        ];

    protected override AdmUNetConfig Architecture(Session session) => EpsilonArchitecture(session);

    protected override TrainingSettings Adapt(TrainingSettings settings, Session session) =>
        settings with
        {
            Objective = new UnrolledObjective(
                new PriorInfo
                {
                    Name = "unrolled",
                    Kind = PriorKind.PosteriorMean,
                    AnyOrientation = !settings.Upright,
                },
                settings.Seed
            ),
        };
}
