using System.Diagnostics;
using Diffusion.Runtime;

namespace Diffusion.Training;

/// <summary>Steps of any training in a folder, until the budget is spent: saves often, validates now and then, notes the losses.</summary>
/// <remarks>
/// Files: <c>state</c> (the run), <c>trunk</c> (the state before the decay, from which a longer run goes on), <c>loss.csv</c> and
/// <c>.png</c>.
/// </remarks>
/// <param name="folder">Where they are kept.</param>
/// <param name="state">The run; borrowed.</param>
/// <param name="budget">When it ends.</param>
internal sealed class TrainingLoop(string folder, TrainingState state, TrainingBudget budget)
{
    private const int ReportInterval = 20;

    /// <summary>Time between saved states.</summary>
    public TimeSpan SaveEvery { get; init; }

    /// <summary>Time between validations.</summary>
    public TimeSpan ValidateEvery { get; init; }

    /// <summary>Whether a state was saved in a folder.</summary>
    public static bool IsBegun(string folder) => File.Exists(StateFile(folder));

    /// <summary>Fills a state with what was saved in a folder; false where nothing was.</summary>
    /// <exception cref="CheckpointException">The state is damaged or of another network.</exception>
    public static bool Resume(string folder, TrainingState state, TrainingBudget budget)
    {
        if (!IsBegun(folder))
            return false;
        state.Load(StateFile(folder));
        // A finished decay is a dead end: more training goes on from the trunk.
        if (state.Rate.IsOver(state.Step) && !budget.IsSpent(state) && File.Exists(TrunkFile(folder)))
            state.Load(TrunkFile(folder));
        return true;
    }

    /// <summary>Trains until the budget is spent or somebody cancels; the state is saved in either case.</summary>
    /// <param name="advance">One step.</param>
    /// <param name="validate">Called now and then, and at the end of the budget.</param>
    /// <param name="report">Told of progress every few steps.</param>
    /// <param name="cancellation">Stops after the present step.</param>
    /// <returns>Whether the budget is spent.</returns>
    public bool Run(Func<StepReport> advance, Action validate, Action<TrainingProgress>? report, CancellationToken cancellation)
    {
        LossCurve curve = new(Path.Combine(folder, "loss.csv"), state.Step);
        double secondsBefore = state.Seconds;
        Stopwatch clock = Stopwatch.StartNew(),
            saved = Stopwatch.StartNew(),
            checkedAt = Stopwatch.StartNew(),
            stretch = Stopwatch.StartNew();
        long pixels = state.Pixels;
        bool spent = false;
        while (!cancellation.IsCancellationRequested && !(spent = state.Rate.IsOver(state.Step)))
        {
            StepReport step = advance();
            curve.Add(step);
            state.Seconds = secondsBefore + clock.Elapsed.TotalSeconds;
            bool reports = curve.Count == ReportInterval;
            double secondsPerStep = stretch.Elapsed.TotalSeconds / curve.Count;
            if (budget.Hours is null || reports)
                Replan(secondsPerStep);
            if (reports)
            {
                report?.Invoke(
                    new TrainingProgress(
                        state,
                        curve.Loss,
                        curve.GradientNorm,
                        step.Rate,
                        (state.Pixels - pixels) / stretch.Elapsed.TotalSeconds,
                        TimeSpan.FromSeconds(budget.SecondsLeft(state, secondsPerStep))
                    )
                );
                curve.Flush(state, step.Rate);
                (pixels, stretch) = (state.Pixels, Stopwatch.StartNew());
            }
            if (saved.Elapsed > SaveEvery)
            {
                state.Save(StateFile(folder));
                saved.Restart();
            }
            if (checkedAt.Elapsed > ValidateEvery)
            {
                validate();
                Draw(curve);
                checkedAt.Restart();
            }
        }
        state.Save(StateFile(folder));
        Draw(curve);
        if (spent)
            validate();
        return spent;
    }

    private void Draw(LossCurve curve) => curve.Draw(Path.Combine(folder, "loss.png"));

    private void Replan(double secondsPerStep)
    {
        LearningRate plan = budget.Plan(state, secondsPerStep);
        if (state.Rate.DecayStart is null && plan.DecayStart is not null)
            state.Save(TrunkFile(folder));
        state.Rate = plan;
    }

    private static string StateFile(string folder) => Path.Combine(folder, "state");

    private static string TrunkFile(string folder) => Path.Combine(folder, "trunk");
}
