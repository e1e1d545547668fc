using Diffusion.Cli.Shell;
using Diffusion.Training;

namespace Diffusion.Cli.Verbs;

/// <summary><c>diffusion train gendeg</c>: trains a small generator of degradations on pairs.</summary>
internal sealed class TrainGenDegVerb()
    : PairTrainingVerb(
        "gendeg",
        "Train a small generator of degradations on pairs; started again with the same folder, it goes on where it was",
        new CropBatch(128, 8, 1)
    )
{
    public override IReadOnlyList<string> Examples =>
        [
            "diffusion synthesize photos/ -o pairs/ --degradation all --per-image 3",
            "diffusion train gendeg pairs/ -o my-gendeg --hours 5",
            "diffusion synthesize more/ -o degraded/ --degradation snow --generator my-gendeg/model",
        ];

    protected override PairTask Task(Session session) => new DegradationTask();
}
