using Diffusion.Networks;

namespace SamplePlugin;

/// <summary>Constructor arguments of <see cref="LocalWiener"/>: one description by which cards are read, written and checked.</summary>
/// <param name="Channels">Channels of the picture.</param>
/// <param name="Window">Side of the window, odd.</param>
public sealed record LocalWienerConfig(int Channels, int Window)
{
    /// <summary>The keys of the configuration in a card.</summary>
    public static ConfigKeys<LocalWienerConfig> Keys { get; } =
        new("local Wiener filter", new LocalWienerConfig(3, 5), config => config.Validate())
        {
            { "channels", c => c.Channels, (c, value) => c with { Channels = value }, Key.Shown },
            { "window", c => c.Window, (c, value) => c with { Window = value }, Key.Shown },
        };

    /// <summary>Checks that a network can be built.</summary>
    /// <exception cref="ArgumentException">It cannot.</exception>
    public void Validate()
    {
        if (Channels < 1 || Window is < 1 or > 99 || Window % 2 == 0)
            throw new ArgumentException(
                $"channels is {Channels} and window {Window}. There must be a channel, and windows are odd, 1 to 99."
            );
    }
}
