using System.CommandLine;
using Diffusion.Cli.Options;
using Diffusion.Cli.Shell;
using Diffusion.Training;

namespace Diffusion.Cli.Verbs;

/// <summary><c>diffusion train face</c>: trains a small one-step face restorer on aligned faces.</summary>
internal sealed class TrainFaceVerb : Verb
{
    private const string Here = "diffusion train face";
    private readonly TrainingOptions _options;
    private readonly Option<string?> _vgg,
        _arcFace;
    private readonly Option<int?> _batch,
        _embedderSteps;
    private readonly Option<string?> _start,
        _model;
    private readonly Option<Dictionary<string, string>?> _loss;

    public TrainFaceVerb()
        : base("face", "Train a one-step face restorer on aligned faces; started again with the same folder, it goes on where it was")
    {
        _options = new TrainingOptions().AddTo(this);
        _batch = Take(
            new Option<int?>("--batch")
            {
                HelpName = "N",
                Description = "Faces a step (4)",
                CustomParser = Values.AtLeast(1, "faces"),
            }
        );
        _start = Take(
            new Option<string?>("--start")
            {
                HelpName = "FILE",
                Description =
                    "Weights that a new run starts from, as far as they fit: a file that a training left; with --model a bundle, whose "
                    + "updates go on",
            }
        );
        _model = Take(
            new Option<string?>("--model")
            {
                HelpName = "BUNDLE",
                Description =
                    "Instead of the small network: OSDFace in full size, low-rank updates of Stable Diffusion in a folder with its "
                    + "published files; tested with tiny random weights, and not verified beyond that",
            }
        );
        _embedderSteps = Take(
            new Option<int?>("--embedder-steps")
            {
                HelpName = "N",
                Description = "First steps that teach the embedder of visual tokens alone, which then stays as it is (0: it learns beside)",
                CustomParser = Values.AtLeast(0, "steps"),
            }
        );
        _vgg = Take(
            new Option<string?>("--vgg")
            {
                HelpName = "FILE",
                Description =
                    "torchvision's VGG-16: train by OSDFace's published losses (with --arcface); tested with random weights, and not "
                    + "verified beyond that",
            }
        );
        _arcFace = Take(
            new Option<string?>("--arcface") { HelpName = "FILE", Description = "A backbone of insightface's arcface_torch, for --vgg" }
        );
        _loss = Take(
            new Option<Dictionary<string, string>?>("--loss")
            {
                HelpName = "TERM=WEIGHT",
                Description = "Weight of a term of the loss: " + string.Join(", ", FaceLoss.Terms) + "; repeatable",
                Arity = ArgumentArity.OneOrMore,
                AllowMultipleArgumentsPerToken = false,
                CustomParser = Values.Pairs,
            }
        );
    }

    public override IReadOnlyList<string> Examples =>
        ["diffusion train face faces/ -o my-face --hours 6", "diffusion train face faces/ -o no-identity --hours 1 --loss identity=0"];

    public override ExitCode Run(Session session)
    {
        FaceTrainingPlan plan = UsageException.Guard(() => Plan(session));
        using FaceTrainingRun run = UsageException.Guard(() => new FaceTrainingRun(plan));
        session.Terminal.Say(
            $"{plan.Faces.Count} faces to train on, {plan.Validation.Count} to validate on, "
                + FormattableString.Invariant($"{run.State.Layout.Length / 1e6:0.00} million parameters")
                + (run.State.Step > 0 ? $"; going on at step {run.State.Step}" : "")
        );
        bool spent = run.Run(
            p => session.Terminal.Say(TrainingOptions.LineOf(p)),
            v => session.Terminal.Print(Line(run.State, v)),
            session.Cancellation
        );
        session.Terminal.Say(
            spent ? $"Done: {Path.Combine(plan.Folder, "model")}" : $"Stopped at step {run.State.Step}; the same command goes on from here."
        );
        return ExitCode.Done;
    }

    private FaceTrainingPlan Plan(Session session)
    {
        string folder = _options.FolderOf(session, Here);
        TrainingBudget budget = _options.BudgetOf(session, Here);
        (IReadOnlyList<string> faces, IReadOnlyList<string> validation) = _options.FilesOf(session);
        (string? vgg, string? arcFace) = (session.Get(_vgg), session.Get(_arcFace));
        if ((vgg is null) != (arcFace is null))
            throw new UsageException("The published losses need both networks", Here, "Give --vgg and --arcface, or neither");
        string? bundle = session.Get(_model);
        if (bundle is not null && session.Get(_embedderSteps) > 0)
            throw new UsageException("OSDFace's embedder does not learn here", "--embedder-steps", "Leave it out with --model");
        TrainingSettings settings = _options.SettingsOf(session);
        FaceTrainingPlan usual = new()
        {
            Faces = faces,
            Folder = folder,
            Budget = budget,
        };
        return usual with
        {
            Validation = validation,
            Name = _options.NameOf(session, folder),
            Rate = session.Get(_options.Rate) ?? usual.Rate,
            WarmupSteps = session.Get(_options.WarmUp) ?? usual.WarmupSteps,
            Loss = (vgg is null ? usual.Loss : FaceLoss.Published).With(session.Get(_loss) ?? []),
            Start = session.Get(_start),
            EmbedderSteps = session.Get(_embedderSteps) ?? 0,
            Bundle = bundle,
            Perception = vgg is null ? null : () => PublishedPerception.Load(vgg, arcFace!),
            Settings = settings with
            {
                Parts = settings.Workers,
                Batches = session.Get(_batch) is { } batch ? [usual.Settings.Batches[0] with { Count = batch }] : usual.Settings.Batches,
                ClipNorm = usual.Settings.ClipNorm,
            },
            SaveEvery = _options.SaveEveryOf(session),
            Command = TrainingOptions.CommandOf(session, Here),
        };
    }

    private static string Line(TrainingState state, FaceValidation v) =>
        FormattableString.Invariant($"step {state.Step}, {state.Seconds / 3600:0.00} h: {v.Restored:0.00} dB (degraded {v.Degraded:0.00}, ")
        + FormattableString.Invariant($"without tokens {v.Tokenless:0.00}), identity distance {v.RestoredIdentity:0.000} ")
        + FormattableString.Invariant($"(degraded {v.DegradedIdentity:0.000}, nearer in {v.Nearer:0 %}), high band {v.HighBand:0.00}, ")
        + FormattableString.Invariant($"GMSD {v.Gmsd:0.0000}, NIQE {v.Niqe:0.00}, {v.Codes} codes");
}
