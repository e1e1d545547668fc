using Diffusion.Networks.Layers;

namespace Diffusion.Networks;

/// <summary>Constructor arguments of <see cref="DnCnn"/> in the vocabulary of the published code.</summary>
/// <param name="Inputs">Channels of the picture, and one more where a map of the noise level is seen (<c>in_nc</c>).</param>
/// <param name="Outputs">Channels of the picture (<c>out_nc</c>).</param>
/// <param name="Width">Channels between the convolutions (<c>nc</c>).</param>
/// <param name="Layers">Number of convolutions (<c>nb</c>).</param>
/// <param name="Numbering">Whether there are batch normalisations, or were (<c>act_mode</c>, <c>merged</c>).</param>
/// <param name="Rounds">The picture is rounded to 8 bits before the network sees it (<c>clip</c>).</param>
public sealed record DnCnnConfig(
    int Inputs = 3,
    int Outputs = 3,
    int Width = 64,
    int Layers = 20,
    StackNumbering Numbering = StackNumbering.Plain,
    bool Rounds = false
)
{
    /// <summary>Whether the network is told the noise level and estimates the picture (FDnCNN), instead of the noise.</summary>
    public bool SeesNoiseLevel => Inputs == Outputs + 1;

    /// <summary>The published constructor arguments.</summary>
    public static ConfigKeys<DnCnnConfig> Keys { get; } =
        new("DnCNN", new DnCnnConfig(), config => config.Validate())
        {
            { "in_nc", c => c.Inputs, (c, value) => c with { Inputs = value }, Key.Required | Key.Shown },
            { "out_nc", c => c.Outputs, (c, value) => c with { Outputs = value }, Key.Required | Key.Shown },
            { "nc", c => c.Width, (c, value) => c with { Width = value }, Key.Required | Key.Shown },
            { "nb", c => c.Layers, (c, value) => c with { Layers = value }, Key.Required | Key.Shown },
            {
                "act_mode",
                c => c.Numbering == StackNumbering.BatchNorm ? "BR" : "R",
                (c, value) => c with { Numbering = Mode(value) },
                Key.Shown
            },
            {
                "merged",
                c => c.Numbering == StackNumbering.Merged,
                (c, value) => value ? c with { Numbering = StackNumbering.Merged } : c,
                Key.Shown
            },
            { "clip", c => c.Rounds, (c, value) => c with { Rounds = value } },
        };

    /// <summary>Checks that a network can be built.</summary>
    /// <exception cref="ArgumentException">It cannot.</exception>
    public void Validate()
    {
        if (Layers is < 3 or > 256)
            throw new ArgumentException($"nb is {Layers}. It must be 3 to 256.");
        if (Width is < 1 or > 16384 || Outputs is < 1 or > 1024)
            throw new ArgumentException($"nc is {Width} and out_nc {Outputs}. They must be 1 to 16384 and 1 to 1024.");
        if (Inputs != Outputs && !SeesNoiseLevel)
            throw new ArgumentException(
                $"in_nc is {Inputs} and out_nc {Outputs}. The input must be the picture, or the picture and one noise map."
            );
    }

    private static StackNumbering Mode(string value) =>
        value switch
        {
            "R" => StackNumbering.Plain,
            "BR" => StackNumbering.BatchNorm,
            _ => throw new FormatException($"act_mode is {value}, but only R and BR are supported"),
        };
}
