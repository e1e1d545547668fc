namespace Diffusion.Networks;

/// <summary>Constructor arguments of <see cref="FfdNet"/> in the vocabulary of the published code.</summary>
/// <param name="Channels">Channels of the picture (<c>in_nc</c>, <c>out_nc</c>).</param>
/// <param name="Width">Channels between the convolutions (<c>nc</c>).</param>
/// <param name="Layers">Number of convolutions (<c>nb</c>).</param>
/// <param name="Rounds">The picture is rounded to 8 bits before the network sees it (<c>clip</c>).</param>
public sealed record FfdNetConfig(int Channels = 3, int Width = 96, int Layers = 12, bool Rounds = false)
{
    /// <summary>The published constructor arguments.</summary>
    public static ConfigKeys<FfdNetConfig> Keys { get; } =
        new("FFDNet", new FfdNetConfig(), config => config.Validate())
        {
            { "in_nc", c => c.Channels, (c, value) => c with { Channels = value }, Key.Required | Key.Shown },
            { "out_nc", c => c.Channels, Same, Key.Shown },
            { "nc", c => c.Width, (c, value) => c with { Width = value }, Key.Required | Key.Shown },
            { "nb", c => c.Layers, (c, value) => c with { Layers = value }, Key.Required | Key.Shown },
            { "act_mode", "R" },
            { "clip", c => c.Rounds, (c, value) => c with { Rounds = value } },
        };

    /// <summary>Checks that a network can be built.</summary>
    /// <exception cref="ArgumentException">It cannot.</exception>
    public void Validate()
    {
        if (Channels is < 1 or > 256 || Width is < 1 or > 16384)
            throw new ArgumentException($"in_nc is {Channels} and nc {Width}. They must be 1 to 256 and 1 to 16384.");
        if (Layers is < 3 or > 256)
            throw new ArgumentException($"nb is {Layers}. It must be 3 to 256.");
    }

    private static FfdNetConfig Same(FfdNetConfig config, int outputs) =>
        outputs == config.Channels ? config : throw new FormatException($"in_nc is {config.Channels}, but out_nc {outputs}");
}
