namespace Diffusion.Runtime;

/// <summary>What a random draw is for. Draws of different roles never share numbers.</summary>
public enum NoiseRole
{
    /// <summary>Noise of the measurement, in the shape of y.</summary>
    Measurement,

    /// <summary>The start of a solver, in the shape of the image.</summary>
    Start,

    /// <summary>Noise injected in a step, in the shape of the image.</summary>
    Step,

    /// <summary>Noise on the coefficients of a spectral decomposition.</summary>
    Spectral,
}

/// <summary>Names a picture for its random draws, so that its result doesn't depend on the batch or the order it is restored in.</summary>
public readonly record struct ImageKey(ulong Value)
{
    /// <summary>A key from a name (FNV-1a over its UTF-8 bytes).</summary>
    public static ImageKey FromName(string name)
    {
        ulong hash = 14695981039346656037;
        foreach (byte b in System.Text.Encoding.UTF8.GetBytes(name))
            hash = (hash ^ b) * 1099511628211;
        return new ImageKey(hash);
    }
}

/// <summary>Standard Gaussian draws for one run of a solver over one batch.</summary>
public abstract class NoiseSource
{
    /// <summary>Draws i.i.d. standard normal numbers.</summary>
    /// <param name="role">What they are for.</param>
    /// <param name="shape">The shape, batch first.</param>
    /// <returns>[shape] float32 on the CPU; the caller owns it.</returns>
    public abstract Tensor Draw(NoiseRole role, params ReadOnlySpan<long> shape);

    /// <summary>The draws of some of the pictures: each draws from here on what it would draw in this source.</summary>
    /// <param name="pictures">Their numbers in the batch.</param>
    /// <returns>A source for a batch of these, in their order. This one stays as it is.</returns>
    /// <exception cref="NotSupportedException">The source draws for whole batches only.</exception>
    public virtual NoiseSource Select(IReadOnlyList<int> pictures) =>
        throw new NotSupportedException(
            $"{GetType().Name} draws for whole batches only. Override Select, or solve pictures with different noise apart."
        );
}
