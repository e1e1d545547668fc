using System.Globalization;

namespace Diffusion.Networks;

/// <summary>What the versions of denoising_diffusion_pytorch compute differently.</summary>
/// <remarks>
/// Files say their version since November 2022. Just then counting began anew: 0.1 is newer than 0.32, and 1.0 follows it.
/// </remarks>
/// <param name="Name">The version, for example <c>1.11.1</c>.</param>
public sealed record LucidrainsVersion(string Name)
{
    private static readonly Version Oldest = new(0, 28);

    private Version Number { get; } =
        Parse(Name) is not { } number ? throw new FormatException($"version is {Name}, not a version")
        : number >= Oldest ? number
        : throw new FormatException($"version is {Name}, but those before {Oldest} are not supported");

    /// <summary>Reads a version; null when it is none, or is too old to be supported.</summary>
    public static LucidrainsVersion? Read(string? text) => Parse(text) >= Oldest ? new LucidrainsVersion(text!) : null;

    private static Version? Parse(string? text) =>
        Version.TryParse(text, out Version? number) ? (number is { Major: 0, Minor: < 2 } ? new Version(1, 0) : number) : null;

    /// <summary>The last version whose networks look so, for files that do not say theirs.</summary>
    public static LucidrainsVersion Of(bool rootMeanSquareBlocks, bool memory, bool plainNames, bool strided) =>
        new(
            rootMeanSquareBlocks ? "2.3.1"
            : memory ? "1.11.1"
            : plainNames ? "1.8.15"
            : strided ? "0.31.1"
            : "1.6.4"
        );

    /// <summary>Blocks normalise each pixel by its root mean square, instead of groups of channels.</summary>
    public bool RootMeanSquareBlocks => Number >= new Version(2, 0);

    /// <summary>Attention sees learned tokens beside the pixels.</summary>
    public bool Memory => Number >= new Version(1, 9);

    /// <summary>Attention bears its own names, not those of wrappers.</summary>
    public bool PlainNames => Number >= new Version(1, 8);

    /// <summary>Attention normalises pixels by their root mean square, instead of mean and variance.</summary>
    public bool RootMeanSquareAttention => Number >= new Version(1, 7, 1);

    /// <summary>The weights of the blocks' convolutions are standardised.</summary>
    public bool StandardizedWeights => Number < new Version(1, 7, 3);

    /// <summary>Linear attention divides what it fetches by the number of pixels.</summary>
    public bool DividesByPixels => Number < new Version(1, 7, 4);

    /// <summary>Pictures are halved by convolutions of stride 2, instead of space to depth.</summary>
    public bool Strided => Number.Major == 0 && Number < new Version(0, 32);

    /// <summary>What GaussianDiffusion predicts unless told otherwise is v, instead of the noise.</summary>
    public bool PredictsV => Number >= new Version(1, 6, 3);

    /// <summary>The schedule unless told otherwise is the sigmoid, instead of the cosine.</summary>
    public bool SigmoidSchedule => Number >= new Version(1, 0);

    /// <summary>Whether names alone do not tell what a file of this version computes.</summary>
    public bool IsAmbiguous => !PlainNames;
}
