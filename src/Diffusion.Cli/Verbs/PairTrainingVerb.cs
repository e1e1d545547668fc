using System.CommandLine;
using Diffusion.Cli.Options;
using Diffusion.Cli.Shell;
using Diffusion.Training;

namespace Diffusion.Cli.Verbs;

/// <summary>What the verbs that train on pairs have in common.</summary>
internal abstract class PairTrainingVerb : Verb
{
    private readonly TrainingOptions _options;
    private readonly Option<int?> _batch;
    private readonly CropBatch _usual;

    protected PairTrainingVerb(string name, string description, CropBatch usual)
        : base(name, description)
    {
        (Here, _usual) = ("diffusion train " + name, usual);
        _options = new TrainingOptions().AddTo(this);
        _options.Photos.HelpName = "PAIRS...";
        _options.Photos.Description =
            "Sets that diffusion synthesize made, and folders of pairs that bear a degradation's name, or hold such folders";
        _options.HoldOut.Description = "Scenes of each degradation and folder to validate on (12, or a quarter of few)";
        _options.Rate.Description = FormattableString.Invariant($"Learning rate of the trunk ({UsualRate:0.#e0})");
        _options.WarmUp.Description = $"Steps until the full rate ({UsualWarmUp})";
        Options.Remove(_options.Validation);
        _batch = Take(
            new Option<int?>("--batch")
            {
                HelpName = "N",
                Description = $"Crops of {usual.Size} pixels a step ({usual.Count})",
                CustomParser = Values.AtLeast(1, "crops"),
            }
        );
    }

    /// <summary>What messages call this command.</summary>
    protected string Here { get; }

    /// <summary>The usual learning rate.</summary>
    protected virtual double UsualRate => 5e-4;

    /// <summary>The usual number of steps of warm-up.</summary>
    protected virtual int UsualWarmUp => 200;

    /// <summary>What is learned.</summary>
    protected abstract PairTask Task(Session session);

    public override ExitCode Run(Session session)
    {
        PairTrainingPlan plan = UsageException.Guard(() => Plan(session));
        using PairTrainingRun run = UsageException.Guard(() => new PairTrainingRun(plan));
        session.Terminal.Say(
            $"{plan.Pairs.Count} pairs to train on, {plan.Validation.Count} to validate on, "
                + FormattableString.Invariant($"{run.State.Layout.Length / 1e6:0.00} million parameters")
                + (run.State.Step > 0 ? $"; going on at step {run.State.Step}" : "")
        );
        bool spent = run.Run(
            p => session.Terminal.Say(TrainingOptions.LineOf(p)),
            numbers =>
                session.Terminal.Print(
                    FormattableString.Invariant($"step {run.State.Step}, {run.State.Seconds / 3600:0.00} h: ")
                        + string.Join(", ", numbers.Select(n => FormattableString.Invariant($"{n.Name} {n.Value:0.000}")))
                ),
            session.Cancellation
        );
        session.Terminal.Say(
            spent ? $"Done: {Path.Combine(plan.Folder, "model")}" : $"Stopped at step {run.State.Step}; the same command goes on from here."
        );
        return ExitCode.Done;
    }

    private PairTrainingPlan Plan(Session session)
    {
        string folder = _options.FolderOf(session, Here);
        TrainingBudget budget = _options.BudgetOf(session, Here);
        PairTask task = Task(session);
        (IReadOnlyList<PairFile> pairs, IReadOnlyList<PairFile> held) = PairFile.HoldOut(
            PairFolders.Find(session.Get(_options.Photos)!),
            session.Get(_options.HoldOut)
        );
        return new PairTrainingPlan
        {
            Task = task,
            Pairs = pairs,
            Validation = held,
            Folder = folder,
            Budget = budget,
            Name = _options.NameOf(session, folder),
            Rate = session.Get(_options.Rate) ?? UsualRate,
            WarmupSteps = session.Get(_options.WarmUp) ?? UsualWarmUp,
            Settings = _options.SettingsOf(session) with { Batches = [_usual with { Count = session.Get(_batch) ?? _usual.Count }] },
            SaveEvery = _options.SaveEveryOf(session),
            Command = TrainingOptions.CommandOf(session, Here),
        };
    }
}
