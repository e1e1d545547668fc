namespace Diffusion.Synthesis.Rendering;

/// <summary>The physics of one degradation.</summary>
internal interface IRenderer
{
    /// <summary>Which one.</summary>
    DegradationKind Kind { get; }

    /// <summary>
    /// Lays a scene out: everything random is drawn here, in units of the picture, so that every size gets the same layout.
    /// </summary>
    /// <param name="clean">The clean picture, coded values; borrowed for as long as the scene lives.</param>
    /// <param name="draws">The sample's random numbers.</param>
    /// <param name="depth">[H x W], 0 near to 1 far, where it is known; borrowed.</param>
    IScene Compose(Canvas clean, SampleDraws draws, float[]? depth);
}

/// <summary>A degraded picture in the making: its layout is fixed, two dials are free.</summary>
internal interface IScene
{
    /// <summary>Renders.</summary>
    /// <param name="strength">0..1: how much light is changed where it is changed; mu and sigma grow with it.</param>
    /// <param name="contrast">
    /// 0..1: from spread over the whole picture (sigma small beside mu) to gathered in places (sigma large beside mu).
    /// </param>
    /// <returns>Coded values, not rounded.</returns>
    Canvas Render(double strength, double contrast);
}
