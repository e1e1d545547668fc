namespace Diffusion.Runtime;

/// <summary>
/// Counter-based noise (Philox 4x32-10, Salmon et al. 2011, with the Box-Muller transform): keyed by seed, image, sample, role, draw and
/// pixel,
/// so that the numbers don't depend on batch, order, tiles, threads or device.
/// </summary>
public sealed class PhiloxNoise : NoiseSource
{
    private readonly ulong _seed;
    private readonly IReadOnlyList<ImageKey> _keys;
    private readonly int _sample;
    private readonly int[] _draws = new int[Enum.GetValues<NoiseRole>().Length];
    private readonly List<PhiloxNoise> _parts = [];

    /// <summary>Noise for one run over a batch.</summary>
    /// <param name="seed">The user's seed.</param>
    /// <param name="keys">One key per picture of the batch.</param>
    /// <param name="sample">Number of the sample: sample k does not depend on how many are drawn.</param>
    public PhiloxNoise(ulong seed, IReadOnlyList<ImageKey> keys, int sample = 0)
    {
        _seed = seed;
        _keys = keys;
        _sample = sample;
    }

    /// <summary>How often noise was drawn for <paramref name="role"/>, by the picture that drew most.</summary>
    public int Drawn(NoiseRole role) => _parts.Aggregate(_draws[(int)role], (most, part) => Math.Max(most, part.Drawn(role)));

    /// <inheritdoc/>
    public override NoiseSource Select(IReadOnlyList<int> pictures)
    {
        PhiloxNoise part = new(_seed, [.. pictures.Select(picture => _keys[picture])], _sample);
        _draws.CopyTo(part._draws, 0);
        _parts.Add(part);
        return part;
    }

    /// <inheritdoc/>
    public override Tensor Draw(NoiseRole role, params ReadOnlySpan<long> shape)
    {
        if (shape.IsEmpty || shape[0] != _keys.Count)
            throw new ArgumentException(
                $"A draw of batch {(shape.IsEmpty ? 0 : shape[0])} was asked of a noise source for {_keys.Count} pictures."
            );
        int draw = _draws[(int)role]++;
        long[] dims = shape.ToArray();
        long perImage = 1;
        foreach (long d in dims.AsSpan(1))
            perImage = checked(perImage * d);
        Tensor result = torch.empty(dims, dtype: ScalarType.Float32);
        for (int n = 0; n < _keys.Count; n++)
        {
            float[] values = new float[perImage];
            Fill(values, n, role, draw);
            using Tensor source = torch.tensor(values).reshape(dims[1..]);
            using Tensor target = result[n];
            target.copy_(source);
        }
        return result;
    }

    private void Fill(float[] values, int image, NoiseRole role, int draw)
    {
        // Two 64-bit words of key, mixed so that nearby seeds and names share nothing.
        ulong key = Mix(_seed ^ Mix(_keys[image].Value + 0x9E3779B97F4A7C15));
        uint stream = ((uint)role << 28) ^ (uint)draw,
            sample = (uint)_sample;
        int blocks = (values.Length + 3) / 4;
        void Block(int b)
        {
            (uint a, uint c, uint d, uint e) = Philox((uint)b, (uint)((ulong)b >> 32), stream, sample, (uint)key, (uint)(key >> 32));
            Span<float> four = stackalloc float[4];
            (four[0], four[1]) = BoxMuller(a, c);
            (four[2], four[3]) = BoxMuller(d, e);
            int at = 4 * b,
                count = Math.Min(4, values.Length - at);
            for (int i = 0; i < count; i++)
                values[at + i] = four[i];
        }
        for (int b = 0; b < blocks; b++)
            Block(b);
    }

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    private static (float, float) BoxMuller(uint u, uint v)
    {
        double radius = Math.Sqrt(-2 * Math.Log((u + 1.0) / 4294967296.0));
        (double sin, double cos) = Math.SinCos(2 * Math.PI * (v / 4294967296.0));
        return ((float)(radius * cos), (float)(radius * sin));
    }

    private static (uint, uint, uint, uint) Philox(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1)
    {
        for (int round = 0; round < 10; round++)
        {
            ulong p0 = (ulong)0xD2511F53 * c0,
                p1 = (ulong)0xCD9E8D57 * c2;
            (c0, c1, c2, c3) = ((uint)(p1 >> 32) ^ c1 ^ k0, (uint)p1, (uint)(p0 >> 32) ^ c3 ^ k1, (uint)p0);
            k0 += 0x9E3779B9;
            k1 += 0xBB67AE85;
        }
        return (c0, c1, c2, c3);
    }
}
