using Diffusion.Settings;

namespace Diffusion.Synthesis.GenDeg;

/// <summary>Whose arithmetic is kept to.</summary>
public enum GenDegPreset
{
    /// <summary>Pictures keep their size and shape; nothing is rounded to 8 bits.</summary>
    Default,

    /// <summary>Pictures become squares and results are truncated to 8 bits, as by the published script.</summary>
    Paper,
}

/// <summary>For which degradations the structure of the generated picture is corrected.</summary>
public enum StructureCorrection
{
    /// <summary>Haze, motion blur and raindrops, as the published script's help text and the paper say.</summary>
    AsIntended,

    /// <summary>Haze and motion blur: the published script asks for a name of raindrops that it does not know.</summary>
    AsPublished,

    /// <summary>All of them.</summary>
    All,

    /// <summary>None.</summary>
    None,
}

/// <summary>How GenDeg is run.</summary>
public sealed record GenDegSettings
{
    /// <summary>Whose arithmetic is kept to: paper makes squares of 8 bits.</summary>
    [Setting]
    public GenDegPreset Preset { get; init; }

    /// <summary>Side in pixels of the squares of the paper's preset.</summary>
    [Setting(Min = 8, Max = 4096)]
    public int Side { get; init; } = 512;

    /// <summary>Steps of the sampler.</summary>
    [Setting(Min = 1, Max = 1000)]
    public int Steps { get; init; } = 100;

    /// <summary>How much text and intensity are exaggerated.</summary>
    [Setting(Symbol = "s_text", Min = 0, Max = 100)]
    public double TextScale { get; init; } = 7.5;

    /// <summary>How much the clean picture is exaggerated.</summary>
    [Setting(Symbol = "s_image", Min = 0, Max = 100)]
    public double ImageScale { get; init; } = 1.5;

    /// <summary>Share of the sampler's noise that is fresh in each step.</summary>
    [Setting(Symbol = "eta", Min = 0, Max = 1)]
    public double Eta { get; init; } = 1;

    /// <summary>For which degradations the structure is corrected.</summary>
    [Setting]
    public StructureCorrection Correction { get; init; }

    /// <summary>Side of tiles in pixels; 0: none, but where memory asks for them.</summary>
    [Setting(Min = 0, Max = 16384)]
    public int Tile { get; init; }

    /// <summary>A file of another autoencoder, whose weights replace those of the model; empty: none.</summary>
    [Setting]
    public string Vae { get; init; } = "";

    /// <summary>Whether the structure of a degradation is corrected.</summary>
    public bool Corrects(DegradationKind kind) =>
        Correction switch
        {
            StructureCorrection.All => true,
            StructureCorrection.AsIntended => kind is DegradationKind.Haze or DegradationKind.MotionBlur or DegradationKind.Raindrop,
            StructureCorrection.AsPublished => kind is DegradationKind.Haze or DegradationKind.MotionBlur,
            _ => false,
        };
}
