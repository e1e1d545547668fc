using System.CommandLine;
using System.CommandLine.Parsing;
using Diffusion.Cli.Shell;
using Diffusion.Runtime;
using Diffusion.Synthesis;
using Diffusion.Synthesis.DataSets;
using Diffusion.Synthesis.Intensities;

namespace Diffusion.Cli.Options;

/// <summary>What samples a set shall have.</summary>
internal sealed class SynthesisOptions
{
    private const string FormatFolders = "folders",
        FormatHf = "hf",
        FormatWebDataset = "webdataset";

    /// <summary>The degradations.</summary>
    public Option<DegradationKind[]?> Degradation { get; } =
        new("--degradation", "-d")
        {
            HelpName = "KIND[,KIND]",
            Description = $"Degradations: {string.Join(", ", DegradationKinds.Names)}, or all",
            CustomParser = ReadKinds,
        };

    /// <summary>Samples of each picture.</summary>
    public Option<int?> PerImage { get; } =
        new("--per-image")
        {
            HelpName = "N",
            Description = "Samples of each picture and degradation (1)",
            CustomParser = Values.AtLeast(1, "samples"),
        };

    /// <summary>How strong.</summary>
    public Option<string> Intensity { get; } =
        new("--intensity")
        {
            HelpName = "INTENSITY",
            Description =
                "How strong, by mean and deviation of |degraded - clean|: mu=0.12,sigma=0.08; published or published:Rain1400 (drawn from "
                + "the tables of GenDeg's data sets); stats:FILE (drawn from a table that synthesize stats wrote); level=0.5 or "
                + "level=0.2..0.8, from barely seen to very strong",
            DefaultValueFactory = _ => IntensitySource.PublishedName,
        };

    /// <summary>What makes them.</summary>
    public Option<string> Generator { get; } =
        new("--generator")
        {
            HelpName = "NAME|BUNDLE",
            Description =
                "What makes them: rendered, by the physics of each; the folder that train gendeg left; or the folder of GenDeg's published "
                + "files",
            DefaultValueFactory = _ => Generators.Rendered,
        };

    /// <summary>Single settings of it.</summary>
    public Option<Dictionary<string, string>?> GeneratorSet { get; } =
        new("--generator-set")
        {
            HelpName = "KEY=VALUE",
            Description = "A setting of a folder's generator (steps=50, guidance=2, correction=all, tile=512); repeatable",
            Arity = ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = false,
            CustomParser = Values.Pairs,
        };

    /// <summary>Its preset.</summary>
    public Option<string?> Preset { get; } =
        new("--preset")
        {
            HelpName = "NAME",
            Description = "paper: squares of 512 pixels and 8 bits, as GenDeg's published script makes them",
        };

    /// <summary>The layout.</summary>
    public Option<string> Format { get; } =
        new Option<string>("--format")
        {
            HelpName = "folders|hf|webdataset",
            Description = "Folders with a list in JSON Lines, Hugging Face's image folder with Parquet, or WebDataset's tar shards",
            DefaultValueFactory = _ => FormatFolders,
        }.AcceptOnlyFromAmong(FormatFolders, FormatHf, FormatWebDataset);

    /// <summary>Samples of a tar file.</summary>
    public Option<int?> PerShard { get; } =
        new("--per-shard")
        {
            HelpName = "N",
            Description = "Samples of one tar shard (100)",
            CustomParser = Values.AtLeast(1, "samples"),
        };

    /// <summary>Depth maps.</summary>
    public Option<string?> Depth { get; } =
        new("--depth")
        {
            HelpName = "PATH",
            Description = "Depth maps of the pictures' names, black near and white far: a folder, or one file; without, depth is guessed",
        };

    /// <summary>The seed.</summary>
    public Option<ulong> Seed { get; } =
        new("--seed")
        {
            HelpName = "N",
            Description = "Seed of all that is random",
            CustomParser = Values.Seed,
            DefaultValueFactory = _ => 0UL,
        };

    /// <summary>Adds them to a verb.</summary>
    public SynthesisOptions AddTo(Command command)
    {
        foreach (
            Option option in (Option[])[Degradation, PerImage, Intensity, Generator, GeneratorSet, Preset, Format, PerShard, Depth, Seed]
        )
            command.Add(option);
        return this;
    }

    /// <summary>The generator that a command line asks for; the caller disposes it.</summary>
    /// <exception cref="UsageException">There is none of that name, or no such setting.</exception>
    public IDegradationGenerator Open(Session session, Func<ComputePolicy> policy, long? memory)
    {
        Dictionary<string, string> set = new(session.Get(GeneratorSet) ?? [], StringComparer.OrdinalIgnoreCase);
        if (session.Get(Preset) is { } preset)
            set["preset"] = preset;
        GeneratorOptions options = new()
        {
            Set = set,
            Policy = policy,
            Memory = memory,
        };
        return UsageException.Guard(() => Generators.Open(session.Get(Generator)!, options));
    }

    /// <summary>The set that a command line asks for; what is wrong with it is found here.</summary>
    public SetOptions Read(Session session, IDegradationGenerator generator)
    {
        if (session.Get(Degradation) is not { Length: > 0 } kinds)
            throw new UsageException(
                "--degradation is missing",
                "diffusion synthesize",
                $"Name one or several of {string.Join(", ", DegradationKinds.Names)}, or all"
            );
        foreach (DegradationKind kind in kinds)
            if (!generator.Kinds.Contains(kind))
                throw new UsageException(
                    $"The generator {generator.Name} makes no {DegradationKinds.NameOf(kind)}",
                    "--degradation",
                    $"It makes {string.Join(", ", generator.Kinds.Select(DegradationKinds.NameOf))}"
                );
        SetFormat format = session.Get(Format) switch
        {
            FormatHf => SetFormat.Hf,
            FormatWebDataset => SetFormat.WebDataset,
            _ => SetFormat.Folders,
        };
        if (session.Has(PerShard) && format != SetFormat.WebDataset)
            throw new UsageException("--per-shard belongs to --format webdataset", "--per-shard", "Leave it out");
        IntensitySource intensity = UsageException.Guard(() => IntensitySource.Parse(session.Get(Intensity)!));
        foreach (DegradationKind kind in kinds)
            UsageException.Guard(() =>
            {
                intensity.Check(kind);
                return true;
            });
        return new SetOptions
        {
            Kinds = kinds,
            Intensity = intensity,
            Generator = generator.Name,
            PerImage = session.Get(PerImage) ?? 1,
            Seed = session.Get(Seed),
            Format = format,
            PerShard = session.Get(PerShard) ?? 100,
        };
    }

    internal static DegradationKind[]? ReadKinds(ArgumentResult result)
    {
        string text = string.Join(',', result.Tokens.Select(token => token.Value));
        if (text == "all")
            return Enum.GetValues<DegradationKind>();
        try
        {
            return [.. text.Split(',').Select(DegradationKinds.Parse).Distinct()];
        }
        catch (ArgumentException e)
        {
            result.AddError(e.Message);
            return null;
        }
    }
}
