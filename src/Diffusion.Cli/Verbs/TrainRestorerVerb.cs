using Diffusion.Cli.Shell;
using Diffusion.Training;

namespace Diffusion.Cli.Verbs;

/// <summary><c>diffusion train restorer</c>: trains a small NAFNet on pairs.</summary>
internal sealed class TrainRestorerVerb()
    : PairTrainingVerb(
        "restorer",
        "Train a small restorer on pairs; started again with the same folder, it goes on where it was",
        new CropBatch(128, 8, 1)
    )
{
    public override IReadOnlyList<string> Examples =>
        [
            "diffusion train restorer pairs/ my-own-pairs/rain -o my-restorer --hours 1",
            "diffusion restore rainy.png --model my-restorer/model -o dry.png",
        ];

    protected override double UsualRate => 1e-3;

    protected override PairTask Task(Session session) => new RestorerTask();
}
