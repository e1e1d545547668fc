using System.CommandLine;
using Diffusion.Faces;

namespace Diffusion.Cli.Options;

/// <summary>How the faces of photographs are restored.</summary>
internal sealed class FaceOptions
{
    /// <summary>What restores an aligned face.</summary>
    public Option<string?> Model { get; } =
        new("--model")
        {
            HelpName = "NAME|FOLDER",
            Description =
                "What restores an aligned face: small (the one-step network that ships; default), a folder with OSDFace's published "
                + "files, zero-shot (the photo prior against a blur of 2 px and noise of 0.03: it cleans, it does not invent), or a "
                + "method by its name",
        };

    /// <summary>Single settings of it.</summary>
    public Option<Dictionary<string, string>?> ModelSet { get; } =
        new("--model-set")
        {
            HelpName = "KEY=VALUE",
            Description = "A setting of the model; repeatable",
            Arity = ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = false,
            CustomParser = Values.Pairs,
        };

    /// <summary>Whose arithmetic.</summary>
    public Option<string?> Preset { get; } =
        new("--preset") { HelpName = "NAME", Description = "A preset of the model: paper is OSDFace as published" };

    /// <summary>What is done to the colours.</summary>
    public Option<FaceColorFix> ColorFix { get; } =
        new("--color-fix") { HelpName = "none|wavelet|adain", Description = "Give restored faces the colours that they had" };

    /// <summary>Crops.</summary>
    public Option<bool> Aligned { get; } =
        new("--aligned") { Description = "The pictures are aligned faces already (square, FFHQ-like): nothing is looked for" };

    /// <summary>One face.</summary>
    public Option<bool> OnlyCenter { get; } = new("--only-center") { Description = "Restore only the face nearest to the middle" };

    /// <summary>Enlargement.</summary>
    public Option<int?> Scale { get; } =
        new("--scale")
        {
            HelpName = "N",
            Description = "Enlarge the photograph N times",
            CustomParser = Values.AtLeast(1, "times"),
        };

    /// <summary>How it is enlarged.</summary>
    public Option<string> Background { get; } =
        new Option<string>("--background")
        {
            HelpName = "lanczos|restore",
            Description = "How --scale enlarges what is no face: by Lanczos, or by restore's photo prior",
            DefaultValueFactory = _ => "lanczos",
        }.AcceptOnlyFromAmong("lanczos", "restore");

    /// <summary>The seed.</summary>
    public Option<ulong> Seed { get; } =
        new("--seed")
        {
            HelpName = "N",
            Description = "Seed of the random draws",
            CustomParser = Values.Seed,
            DefaultValueFactory = _ => 0UL,
        };

    /// <summary>Foreign assemblies.</summary>
    public Option<string[]> Plugins { get; } = new ProblemOptions().Plugins;

    /// <summary>Adds them to a verb.</summary>
    public FaceOptions AddTo(Command command)
    {
        foreach (Option option in (Option[])[Model, ModelSet, Preset, ColorFix, Aligned, OnlyCenter, Scale, Background, Seed, Plugins])
            command.Add(option);
        return this;
    }
}
