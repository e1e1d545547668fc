namespace Diffusion.Faces;

/// <summary>What is done to the colours of a restored face.</summary>
public enum FaceColorFix
{
    /// <summary>Nothing, as published.</summary>
    None,

    /// <summary>The coarse colours become those of the input, by a wavelet decomposition.</summary>
    Wavelet,

    /// <summary>Mean and deviation of each channel become those of the input.</summary>
    Adain,
}

/// <summary>Whose arithmetic is kept to.</summary>
public enum FacePreset
{
    /// <summary>Results are not quantised before they are written, and then rounded.</summary>
    Default,

    /// <summary>Results are truncated to 8 bits, as the published script does.</summary>
    Paper,
}

/// <summary>How the latent of the input is taken from the autoencoder's Gaussian.</summary>
public enum LatentChoice
{
    /// <summary>One draw, as published.</summary>
    Sample,

    /// <summary>The mean, which draws nothing.</summary>
    Mode,
}

/// <summary>The settings of one restoration, as <see cref="OsdFacePipeline"/> takes them.</summary>
public sealed record OsdFaceSettings
{
    /// <summary>Side to which square pictures are resized, and of what the embedder sees.</summary>
    public int Side { get; init; } = FaceTemplate.Size;

    /// <summary>Side of what the embedder sees, where it differs.</summary>
    public int? EmbedderSide { get; init; }

    /// <summary>The UNet's time.</summary>
    public int Timestep { get; init; } = 399;

    /// <summary>How the latent is taken.</summary>
    public LatentChoice Latent { get; init; }

    /// <summary>What is done to the colours.</summary>
    public FaceColorFix ColorFix { get; init; }

    /// <summary>Whose arithmetic is kept to.</summary>
    public FacePreset Preset { get; init; }

    /// <summary>Side of the autoencoder's tiles in pixels; null: none.</summary>
    public int? Tile { get; init; }
}
