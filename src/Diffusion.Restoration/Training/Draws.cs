namespace Diffusion.Training;

/// <summary>
/// Uniform random numbers keyed by seed, step and index (SplitMix64): a resumed run draws what an uninterrupted one would have drawn.
/// </summary>
internal struct Draws
{
    private ulong _state;

    /// <summary>The stream of one crop (or, with index -1, of a whole step).</summary>
    public Draws(ulong seed, long step, int index) => _state = Mix(Mix(Mix(seed) ^ (ulong)step) ^ (uint)index);

    /// <summary>Uniform on [0,1).</summary>
    public double Uniform() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform on [low, high).</summary>
    public double Uniform(double low, double high) => low + (high - low) * Uniform();

    /// <summary>Uniform in the logarithm on [low, high).</summary>
    public double LogUniform(double low, double high) => low * Math.Exp(Math.Log(high / low) * Uniform());

    /// <summary>An integer in 0..count-1.</summary>
    public int Below(int count) => (int)Math.Min(count - 1, count * Uniform());

    private ulong Next() => Mix(_state += 0x9E3779B97F4A7C15);

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
