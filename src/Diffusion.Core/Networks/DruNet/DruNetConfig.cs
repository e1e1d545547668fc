namespace Diffusion.Networks;

/// <summary>Constructor arguments of <see cref="DruNet"/> in the vocabulary of the published code.</summary>
/// <param name="Channels">Widths of the four levels (<c>nc</c>).</param>
/// <param name="Blocks">Residual blocks a level (<c>nb</c>).</param>
/// <param name="Inputs">Channels of the picture and one for the noise map (<c>in_nc</c>).</param>
/// <param name="Outputs">Channels of the picture (<c>out_nc</c>).</param>
public sealed record DruNetConfig(IReadOnlyList<int> Channels, int Blocks = 4, int Inputs = 4, int Outputs = 3)
{
    /// <summary>The published colour network.</summary>
    public static DruNetConfig Published { get; } = new([64, 128, 256, 512]);

    /// <summary>
    /// Side of the window that an output pixel depends on: 3x3 kernels on the way down and up, and the squares of the resampling.
    /// </summary>
    public int ReceptiveField => 2 * (2 + 2 * Blocks * (1 + 2 + 4) * 2 + 2 * Blocks * 8 + 2 * (1 + 2 + 4)) + 1;

    /// <summary>The published constructor arguments; the modes must be those of the published networks.</summary>
    public static ConfigKeys<DruNetConfig> Keys { get; } =
        new("DRUNet", new DruNetConfig([]), config => config.Validate())
        {
            { "in_nc", c => c.Inputs, (c, value) => c with { Inputs = value }, Key.Shown },
            { "out_nc", c => c.Outputs, (c, value) => c with { Outputs = value }, Key.Shown },
            { "nc", c => c.Channels, (c, value) => c with { Channels = value }, Key.Required | Key.Shown },
            { "nb", c => c.Blocks, (c, value) => c with { Blocks = value }, Key.Shown },
            { "act_mode", "R" },
            { "downsample_mode", "strideconv" },
            { "upsample_mode", "convtranspose" },
            { "bias", false },
        };

    /// <summary>Checks that a network can be built.</summary>
    /// <exception cref="ArgumentException">It cannot.</exception>
    public void Validate()
    {
        if (Channels.Count != 4 || Channels.Any(width => width is < 1 or > 16384))
            throw new ArgumentException("nc must be four widths.");
        if (Blocks is < 1 or > 64)
            throw new ArgumentException($"nb is {Blocks}. It must be 1 to 64.");
        if (Inputs != Outputs + 1 || Outputs < 1)
            throw new ArgumentException($"in_nc is {Inputs} and out_nc {Outputs}. The input must be the picture and one noise map.");
    }
}
