namespace Diffusion.Training;

/// <summary>Warm-up, a constant trunk, and a linear decay to zero that can branch off at any step.</summary>
/// <param name="Peak">The rate of the trunk.</param>
/// <param name="WarmupSteps">Steps from zero to <paramref name="Peak"/>.</param>
/// <param name="DecayStart">
/// The step at which the decay begins; null while on the trunk. May become fractional or negative when a deadline moves the end.
/// </param>
/// <param name="DecaySteps">Length of the decay.</param>
public sealed record LearningRate(double Peak, long WarmupSteps, double? DecayStart = null, double DecaySteps = 0)
{
    /// <summary>The rate of a step.</summary>
    public double At(long step)
    {
        double warm = WarmupSteps == 0 ? 1 : Math.Min(1, (step + 1.0) / WarmupSteps);
        double decay = DecayStart is { } start ? Math.Clamp(1 - (step - start) / DecaySteps, 0, 1) : 1;
        return Peak * warm * decay;
    }

    /// <summary>Whether the decay has reached zero.</summary>
    public bool IsOver(long step) => DecayStart is { } start && step >= start + DecaySteps;

    /// <summary>
    /// The same rate at <paramref name="step"/>, reaching zero <paramref name="remaining"/> steps later: begins the decay, or moves its
    /// end.
    /// </summary>
    public LearningRate DecayFrom(long step, double remaining)
    {
        double left = DecayStart is null ? 1 : At(step) / Peak;
        double length = Math.Max(1, remaining) / Math.Max(left, 1e-9);
        return this with { DecayStart = step + Math.Max(1, remaining) - length, DecaySteps = length };
    }
}
