using Diffusion.Runtime;

namespace Diffusion.Operators;

/// <summary>Seeded random orders that are the same on every machine and device.</summary>
internal static class Permutation
{
    /// <summary>A random order of 0..n-1, int64 on the CPU; the caller owns it.</summary>
    public static Tensor Random(long n, ulong seed, int stream)
    {
        PhiloxNoise noise = new(seed, [ImageKey.FromName("permutation")], stream);
        using Tensor draws = noise.Draw(NoiseRole.Measurement, 1, n);
        float[] keys = [.. draws.data<float>()];
        long[] order = [.. Enumerable.Range(0, checked((int)n)).Select(i => (long)i)];
        Array.Sort(keys, order);
        return torch.tensor(order);
    }
}
