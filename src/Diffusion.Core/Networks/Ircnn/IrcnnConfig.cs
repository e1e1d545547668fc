namespace Diffusion.Networks;

/// <summary>Constructor arguments of <see cref="Ircnn"/> in the vocabulary of the published code.</summary>
/// <param name="Channels">Channels of the picture (<c>in_nc</c>, <c>out_nc</c>).</param>
/// <param name="Width">Channels between the convolutions (<c>nc</c>).</param>
/// <param name="Networks">Networks in the file, for noise levels of 2, 4, 6, ... of 255; 1: one network for one level.</param>
public sealed record IrcnnConfig(int Channels = 3, int Width = 64, int Networks = 25)
{
    /// <summary>The published constructor arguments.</summary>
    public static ConfigKeys<IrcnnConfig> Keys { get; } =
        new("IRCNN", new IrcnnConfig(), config => config.Validate())
        {
            { "in_nc", c => c.Channels, (c, value) => c with { Channels = value }, Key.Required | Key.Shown },
            { "out_nc", c => c.Channels, Same, Key.Shown },
            { "nc", c => c.Width, (c, value) => c with { Width = value }, Key.Required | Key.Shown },
            { "networks", c => c.Networks, (c, value) => c with { Networks = value }, Key.Shown },
        };

    /// <summary>Checks that a network can be built.</summary>
    /// <exception cref="ArgumentException">It cannot.</exception>
    public void Validate()
    {
        if (Channels is < 1 or > 1024 || Width is < 1 or > 16384)
            throw new ArgumentException($"in_nc is {Channels} and nc {Width}. They must be 1 to 1024 and 1 to 16384.");
        if (Networks is < 1 or > 256)
            throw new ArgumentException($"networks is {Networks}. It must be 1 to 256.");
    }

    private static IrcnnConfig Same(IrcnnConfig config, int outputs) =>
        outputs == config.Channels ? config : throw new FormatException($"in_nc is {config.Channels}, but out_nc {outputs}");
}
