using Diffusion.Settings;

namespace Diffusion.Synthesis.Small;

/// <summary>How the small generator is run.</summary>
public sealed record SmallSettings
{
    /// <summary>Steps from noise to the change.</summary>
    [Setting(Symbol = "n", Min = 1, Max = 1000)]
    public int Steps { get; init; } = 12;

    /// <summary>Classifier-free guidance by kind and intensity; 1: none, and half of the time.</summary>
    [Setting(Symbol = "w", Min = 0, Max = 20)]
    public double Guidance { get; init; } = 1.5;

    /// <summary>Whether the change is brought to the asked mu and sigma in the end.</summary>
    [Setting]
    public bool Fit { get; init; } = true;

    /// <summary>Side of the tiles in which larger pictures are computed.</summary>
    [Setting(Unit = "pixels", Min = 64, Max = 65536)]
    public int Tile { get; init; } = 1024;
}
