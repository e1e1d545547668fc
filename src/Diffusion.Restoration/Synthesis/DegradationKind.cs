using Diffusion.Runtime;

namespace Diffusion.Synthesis;

/// <summary>What the weather, the light or the camera did to a picture.</summary>
public enum DegradationKind
{
    /// <summary>Haze and fog.</summary>
    Haze,

    /// <summary>Falling rain.</summary>
    Rain,

    /// <summary>Falling snow.</summary>
    Snow,

    /// <summary>A camera that moved while the shutter was open.</summary>
    MotionBlur,

    /// <summary>Too little light: dark and noisy.</summary>
    LowLight,

    /// <summary>Drops of water on the lens or on a pane before it.</summary>
    Raindrop,
}

/// <summary>The names of degradations in commands and files.</summary>
public static class DegradationKinds
{
    /// <summary>All of them, in their order.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Enum.GetValues<DegradationKind>().Select(NameOf)];

    /// <summary><c>haze</c>, <c>rain</c>, <c>snow</c>, <c>motion-blur</c>, <c>low-light</c>, <c>raindrop</c>.</summary>
    public static string NameOf(DegradationKind kind) =>
        kind switch
        {
            DegradationKind.MotionBlur => "motion-blur",
            DegradationKind.LowLight => "low-light",
            _ => kind.ToString().ToLowerInvariant(),
        };

    /// <summary>Reads a name.</summary>
    /// <exception cref="ArgumentException">There is no such degradation; the message has the nearest one.</exception>
    public static DegradationKind Parse(string name)
    {
        int at = Names.ToList().IndexOf(name.Trim().ToLowerInvariant());
        return at >= 0
            ? Enum.GetValues<DegradationKind>()[at]
            : throw new ArgumentException($"There is no degradation \"{name}\". {NearestName.Advice(name, Names)}");
    }
}
