using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Diffusion.Cli.Options;
using Diffusion.Cli.Shell;
using Diffusion.Networks;
using Diffusion.Training;

namespace Diffusion.Cli.Verbs;

/// <summary>What the verbs that train priors have in common.</summary>
internal abstract class TrainingVerb : Verb
{
    private readonly TrainingOptions _options;
    private readonly Option<bool> _upright;

    protected TrainingVerb(string name, string description, string fromDescription)
        : base(name, description)
    {
        Here = "diffusion train " + name;
        _options = new TrainingOptions().AddTo(this);
        From = Take(new Option<string?>("--from") { HelpName = "PRIOR", Description = fromDescription });
        _upright = Take(
            new Option<bool>("--upright") { Description = "The pictures have an upright (faces, rooms): mirror them, but never turn them" }
        );
    }

    /// <summary>What messages call this command.</summary>
    protected string Here { get; }

    /// <summary>The prior to start from.</summary>
    protected Option<string?> From { get; }

    /// <summary>The network that is trained.</summary>
    protected abstract AdmUNetConfig Architecture(Session session);

    /// <summary>The architecture of the prior to tune, which must predict the noise.</summary>
    protected AdmUNetConfig EpsilonArchitecture(Session session)
    {
        (AdmUNetConfig architecture, bool edm) = TrainingRun.StartOf(
            session.Get(From) ?? throw new UsageException("--from is missing", Here, "Name the prior to tune, for example --from photo")
        );
        return edm ? throw new UsageException("The prior to tune must predict the noise", Here, "Train one without --edm") : architecture;
    }

    /// <summary>What this verb changes in the settings.</summary>
    protected virtual TrainingSettings Adapt(TrainingSettings settings, Session session) => settings;

    public override ExitCode Run(Session session)
    {
        TrainingPlan plan = UsageException.Guard(() => Plan(session));
        using TrainingRun run = new(plan);
        session.Terminal.Say(
            $"{plan.Photos.Count} photographs to train on, {plan.Validation.Count} to validate on, "
                + $"{run.State.Layout.Length / 1e6:0.00} million parameters"
                + (run.State.Step > 0 ? $"; going on at step {run.State.Step}" : "")
        );
        bool spent = run.Run(
            p => session.Terminal.Say(TrainingOptions.LineOf(p)),
            rows => Print(session.Terminal, run.State, rows),
            session.Cancellation
        );
        session.Terminal.Say(
            spent ? $"Done: {Path.Combine(plan.Folder, "prior")}" : $"Stopped at step {run.State.Step}; the same command goes on from here."
        );
        return ExitCode.Done;
    }

    private TrainingPlan Plan(Session session)
    {
        string folder = _options.FolderOf(session, Here);
        TrainingBudget budget = _options.BudgetOf(session, Here);
        bool fresh = session.Get(From) is null;
        (IReadOnlyList<string> photos, IReadOnlyList<string> validation) = _options.FilesOf(session);
        return new TrainingPlan
        {
            Photos = photos,
            Validation = validation,
            Folder = folder,
            Name = _options.NameOf(session, folder),
            Budget = budget,
            Architecture = Architecture(session),
            Start = session.Get(From),
            Rate = session.Get(_options.Rate) ?? (fresh ? 7e-4 : 2.5e-4),
            WarmupSteps = session.Get(_options.WarmUp) ?? (fresh ? 500 : 100),
            Settings = Adapt(_options.SettingsOf(session) with { Upright = session.Get(_upright) }, session),
            SaveEvery = _options.SaveEveryOf(session),
            Command = TrainingOptions.CommandOf(session, Here),
        };
    }

    private static void Print(Terminal terminal, TrainingState state, IReadOnlyList<ValidationRow> rows)
    {
        if (rows.Count == 0)
            return;
        if (terminal.Json)
            terminal.PrintJson(
                new JsonObject
                {
                    ["step"] = state.Step,
                    ["crops"] = state.Crops,
                    ["hours"] = state.Seconds / 3600,
                    ["validation"] = TrainValidateVerb.ToJson(rows),
                }
            );
        else
            terminal.Print(
                string.Create(CultureInfo.InvariantCulture, $"step {state.Step}, {state.Seconds / 3600:0.00} h: ")
                    + string.Join(
                        ", ",
                        rows.Select(r => string.Create(CultureInfo.InvariantCulture, $"{r.Psnr:0.00} dB at {r.Sigma * 127.5:0}"))
                    )
            );
    }
}
