namespace Diffusion.Sampling;

/// <summary>How a sampler of n steps spreads its times over a schedule of T.</summary>
public enum TimeSpacing
{
    /// <summary>Multiples of T / n, rounded down, plus an offset: 0 is visited, the noisiest time is not.</summary>
    Leading,

    /// <summary>T, T - T/n, ... less one: the noisiest time is visited, 0 is not.</summary>
    Trailing,

    /// <summary>Equally spaced from T - 1 to 0, both included.</summary>
    Whole,
}

/// <summary>The times that samplers of diffusers and k-diffusion visit, in descending order.</summary>
public static class SamplingTimes
{
    /// <summary>Descending times.</summary>
    /// <param name="spacing">How they are spread.</param>
    /// <param name="steps">T.</param>
    /// <param name="count">n, 1 to T.</param>
    /// <param name="offset">Added to <see cref="TimeSpacing.Leading"/> times: <c>steps_offset</c>.</param>
    /// <returns>n times; whole numbers but for <see cref="TimeSpacing.Whole"/>, which samplers round or take as they are.</returns>
    /// <exception cref="ArgumentException">n is not 1 to T.</exception>
    public static double[] Descending(TimeSpacing spacing, int steps, int count, int offset = 0)
    {
        if (count < 1 || count > steps)
            throw new ArgumentException($"A schedule of {steps} steps cannot be sampled in {count}. Use 1 to {steps}.");
        return spacing switch
        {
            TimeSpacing.Leading => [.. Enumerable.Range(0, count).Select(k => (double)((count - 1 - k) * (steps / count) + offset))],
            TimeSpacing.Trailing => [.. Enumerable.Range(0, count).Select(k => Math.Round(steps - k * ((double)steps / count)) - 1)],
            _ => [.. Spacing.Linear(0, steps - 1, count).Reverse()],
        };
    }

    /// <summary>The noise levels of times, in the order given, and a final 0.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="times">Times, whole or not.</param>
    /// <param name="logarithmic">Interpolates log sigma (k-diffusion) or sigma (diffusers).</param>
    public static double[] Sigmas(NoiseSchedule schedule, IEnumerable<double> times, bool logarithmic) =>
        [.. times.Select(t => schedule.SigmaAt(t, logarithmic)), 0];

    /// <summary>k-diffusion's ladder: levels of equally spaced times from the noisiest down, and a final 0.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="count">n, at least 1; a single step begins at the noisiest time.</param>
    /// <exception cref="ArgumentException">n is below 1.</exception>
    public static double[] Ladder(NoiseSchedule schedule, int count) =>
        count >= 1
            ? Sigmas(schedule, Spacing.Linear(schedule.Steps - 1, 0, count), logarithmic: true)
            : throw new ArgumentException($"A ladder of {count} steps has none. Use at least 1.");
}
