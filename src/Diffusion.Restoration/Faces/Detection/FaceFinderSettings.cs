namespace Diffusion.Faces;

/// <summary>What counts as a face in a whole photograph.</summary>
public sealed record FaceFinderSettings
{
    /// <summary>Least mean score of the closer look.</summary>
    public double Threshold { get; init; } = 0.45;

    /// <summary>
    /// Side of the smallest faces that are looked for, in pixels; null: 8, or 1/200 of the photograph's longer side if that is
    /// more.
    /// </summary>
    public double? SmallestFace { get; init; }

    /// <summary>
    /// Whether turned faces are looked for: each doubtful one through quarter turns, and the whole photograph in quarter turns
    /// when it shows no
    /// face upright.
    /// </summary>
    public bool Turn { get; init; } = true;

    /// <summary>The smallest face of a photograph whose longer side is <paramref name="longer"/>.</summary>
    internal double SmallestIn(double longer) => SmallestFace ?? Math.Max(8, longer / 200);
}
