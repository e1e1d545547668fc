namespace Diffusion.Training;

/// <summary>When a run ends, and when its decay begins.</summary>
/// <param name="Steps">Ends after this many steps; exactly repeatable.</param>
/// <param name="Hours">Ends after this much time, measured over all interruptions of the run; the decay is re-planned to end then.</param>
/// <param name="DecayShare">The last part of the run in which the learning rate falls to zero.</param>
public sealed record TrainingBudget(long? Steps = null, double? Hours = null, double DecayShare = 0.2)
{
    /// <summary>The rate's plan, seen from the present state.</summary>
    /// <param name="state">The run.</param>
    /// <param name="secondsPerStep">Recent speed.</param>
    internal LearningRate Plan(TrainingState state, double secondsPerStep)
    {
        LearningRate rate = state.Rate;
        if (Steps is { } steps && rate.DecayStart is null && state.Step >= (1 - DecayShare) * steps)
            rate = rate.DecayFrom(state.Step, steps - state.Step);
        if (Hours is { } hours && (rate.DecayStart is not null || state.Seconds >= (1 - DecayShare) * hours * 3600))
            rate = rate.DecayFrom(state.Step, (hours * 3600 - state.Seconds) / secondsPerStep);
        return rate;
    }

    /// <summary>Seconds until the end at the present speed.</summary>
    internal double SecondsLeft(TrainingState state, double secondsPerStep) =>
        Math.Max(0, Hours is { } hours ? hours * 3600 - state.Seconds : ((Steps ?? state.Step) - state.Step) * secondsPerStep);

    /// <summary>Whether a state that has decayed to the end was meant to end there.</summary>
    internal bool IsSpent(TrainingState state) =>
        (Steps is not { } steps || state.Step >= steps) && (Hours is not { } hours || state.Seconds >= 0.99 * hours * 3600);
}
