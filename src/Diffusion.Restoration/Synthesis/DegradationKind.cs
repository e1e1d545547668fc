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
