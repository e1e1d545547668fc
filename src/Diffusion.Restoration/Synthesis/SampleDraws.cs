using Diffusion.Runtime;

namespace Diffusion.Synthesis;

/// <summary>The random numbers of one sample: a SplitMix64 stream that begins where the sample's Philox key says.</summary>
internal sealed class SampleDraws
{
    private readonly ulong _start;
    private readonly PhiloxNoise _noise;
    private ulong _state;

    /// <summary>The numbers of a sample.</summary>
    public SampleDraws(ulong seed, string key)
    {
        ImageKey[] keys = [ImageKey.FromName(key)];
        _noise = new PhiloxNoise(seed, keys);
        using Tensor first = new PhiloxNoise(seed, keys).Draw(NoiseRole.Start, 1, 4);
        foreach (float value in first.data<float>())
            _start = Mix(_start ^ BitConverter.SingleToUInt32Bits(value));
        _state = _start;
    }

    /// <summary>The same numbers from their beginning.</summary>
    public SampleDraws Again()
    {
        _state = _start;
        return this;
    }

    /// <summary>Uniform on [0,1).</summary>
    public double Uniform() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform on [low, high).</summary>
    public double Uniform(double low, double high) => low + (high - low) * Uniform();

    /// <summary>Uniform in the logarithm.</summary>
    public double LogUniform(double low, double high) => low * Math.Exp(Math.Log(high / low) * Uniform());

    /// <summary>Normal.</summary>
    public double Normal() => Math.Sqrt(-2 * Math.Log(1 - Uniform())) * Math.Cos(2 * Math.PI * Uniform());

    /// <summary>A seed for something that draws by itself.</summary>
    public ulong Seed() => Next();

    /// <summary>Normal numbers for the pixels of a sensor, row by row.</summary>
    public float[] Sensor(int height, int width)
    {
        using Tensor draws = _noise.Select([0]).Draw(NoiseRole.Measurement, 1, height, width);
        return draws.data<float>().ToArray();
    }

    private ulong Next() => Mix(_state += 0x9E3779B97F4A7C15);

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
