using Diffusion.Checkpoints;
using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Sampling;

namespace Diffusion.Synthesis.GenDeg;

/// <summary>GenDeg's files as they are published, in one folder, with the tokenizer of CLIP ViT-L/14.</summary>
/// <remarks>
/// Opening reads tables of contents and checks that everything is there; weights are read when a network is loaded. Of the UNet the
/// averaged
/// (EMA) weights are taken; the layers of the context have none.
/// </remarks>
public sealed class GenDegBundle : IDisposable
{
    private const string Model = "gendeg",
        Correction = "gendeg-structure-correction",
        Tokens = "clip-vit-l14-text",
        TextPrefix = "cond_stage_model.transformer.",
        VaePrefix = "first_stage_model.";

    private static readonly ClipTextFamily TextFamily = new();
    private static readonly AutoencoderKLFamily VaeFamily = new();
    private readonly ICheckpoint _model;
    private readonly ICheckpoint? _correction,
        _vae;
    private readonly StableDiffusionFiles _diffusion;
    private readonly ICheckpoint _text,
        _context;
    private readonly Lazy<ClipTokenizer> _tokenizer;

    private GenDegBundle(ICheckpoint model, ICheckpoint? correction, ICheckpoint? vae, string tokens)
    {
        (_model, _correction, _vae) = (model, correction, vae);
        _tokenizer = new(() => ClipTokenizer.Open(tokens));
        _diffusion = StableDiffusionFiles.Open(model.Path);
        _text = TextFamily.Named(SubNetwork.In(model, TextPrefix));
        RecognizedNetwork found = NetworkCatalog.BuiltIn.Recognize(model)!;
        _context = new CheckpointView(model, found.Prefix, GenDegFamily.IsOfContext);
        TextConfig = Shown(TextFamily, _text);
        VaeConfig = vae is null ? _diffusion.VaeConfig : Shown(VaeFamily, vae);
        IReadOnlyList<long> statistics = _context.Tensors["stats_proj.weight"].Shape,
            mixture = _context.Tensors["cc_projection.weight"].Shape;
        ContextConfig = new((int)statistics[1] - 1, (int)statistics[0], TextConfig.HiddenSize, (int)mixture[0]);
    }

    /// <summary>The tokens of prompts.</summary>
    /// <exception cref="CheckpointException">Vocabulary or merges are damaged.</exception>
    public ClipTokenizer Tokenizer => _tokenizer.Value;

    /// <summary>The schedule of the training.</summary>
    public NoiseSchedule Schedule => _diffusion.Schedule;

    /// <summary>The text encoder's constructor arguments.</summary>
    public ClipTextConfig TextConfig { get; }

    /// <summary>The sizes of the context's layers.</summary>
    public GenDegContextConfig ContextConfig { get; }

    /// <summary>The UNet's constructor arguments.</summary>
    public StableDiffusionUNetConfig UNetConfig => _diffusion.UNetConfig;

    /// <summary>The autoencoder's constructor arguments.</summary>
    public AutoencoderKLConfig VaeConfig { get; }

    /// <summary>Opens a bundle.</summary>
    /// <param name="folder">
    /// Holds <c>gendeg.ckpt</c>, <c>nafnet_sd.ckpt</c>, <c>vocab.json</c> and <c>merges.txt</c> (these two perhaps in <c>tokenizer</c>).
    /// </param>
    /// <param name="corrects">Whether the structure correction will be needed.</param>
    /// <param name="vae">A file of another autoencoder; null: the model's own.</param>
    /// <exception cref="CheckpointException">A part is missing (the message says where it is published), or of another family.</exception>
    public static GenDegBundle Open(string folder, bool corrects = true, string? vae = null)
    {
        if (!Directory.Exists(folder))
            throw new CheckpointException("There is no such folder of GenDeg's files", folder, "Name a folder that holds gendeg.ckpt");
        List<ICheckpoint> opened = [];
        try
        {
            ICheckpoint model = Opened(Model, "gendeg");
            ICheckpoint? correction = corrects ? Opened(Correction, "nafnet") : null;
            ICheckpoint? other = vae is null ? null : VaeOf(Added(Checkpoint.Open(vae)));
            string tokens = new[] { folder, Path.Combine(folder, "tokenizer") }.FirstOrDefault(ClipTokenizer.IsIn)
                ?? throw Missing($"{ClipTokenizer.VocabularyFile} and {ClipTokenizer.MergesFile}", "about 1.4 MB", Entry(Tokens), folder);
            return new GenDegBundle(model, correction, other, tokens);
        }
        catch
        {
            opened.ForEach(file => file.Dispose());
            throw;
        }

        ICheckpoint Opened(string name, string kind)
        {
            CatalogEntry entry = Entry(name);
            string path = entry.Files.SelectMany(Names).Select(file => Path.Combine(folder, file)).FirstOrDefault(File.Exists)
                ?? throw Missing($"{entry.Files[0]}, {entry.Title}", $"about {entry.SizeMegabytes} MB", entry, folder);
            ICheckpoint file = Added(Checkpoint.Open(path));
            if (NetworkCatalog.BuiltIn.Recognize(file) is var found && found?.Family.Kind == kind)
                return file;
            string holds = found is null ? "is of no network that is known here" : $"holds {found.Family.Description}";
            throw new CheckpointException(
                $"The file {holds}, not {entry.Title}",
                path,
                $"Put the file there that is published at {entry.Home}"
            );
        }

        ICheckpoint Added(ICheckpoint file)
        {
            opened.Add(file);
            return file;
        }
    }

    /// <summary>Loads the text encoder; the caller disposes it.</summary>
    /// <exception cref="CheckpointException">The weights do not fit.</exception>
    public ClipTextEncoder LoadText(ComputePolicy policy) => Filled(new ClipTextEncoder(TextConfig, policy), _text);

    /// <summary>Loads the layers of the context; the caller disposes them.</summary>
    /// <exception cref="CheckpointException">The weights do not fit.</exception>
    public GenDegContext LoadContext(ComputePolicy policy) => Filled(new GenDegContext(ContextConfig, policy), _context);

    /// <summary>Loads the UNet; the caller disposes it.</summary>
    /// <exception cref="CheckpointException">The weights do not fit.</exception>
    public StableDiffusionUNet LoadUNet(ComputePolicy policy) => _diffusion.LoadUNet(policy);

    /// <summary>Loads the autoencoder; the caller disposes it.</summary>
    /// <exception cref="CheckpointException">The weights do not fit.</exception>
    public AutoencoderKL LoadVae(ComputePolicy policy) =>
        _vae is null ? _diffusion.LoadVae(policy) : Filled(new AutoencoderKL(VaeConfig, policy), _vae);

    /// <summary>Loads the structure correction; the caller disposes it.</summary>
    /// <exception cref="CheckpointException">The weights do not fit.</exception>
    public NafNet LoadCorrection(ComputePolicy policy)
    {
        RecognizedNetwork found = Recognized(_correction!);
        return Filled((NafNet)found.Family.Create(found.Config, policy), found.Weights(_correction!));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _model.Dispose();
        _correction?.Dispose();
        _vae?.Dispose();
        _diffusion.Dispose();
    }

    /// <summary>The structure correction without weights; the caller disposes it. null when the bundle was opened without it.</summary>
    internal Network? NewCorrection(ComputePolicy policy) =>
        _correction is null ? null
        : Recognized(_correction) is var found ? found.Family.Create(found.Config, policy)
        : null;

    private static RecognizedNetwork Recognized(ICheckpoint file) => NetworkCatalog.BuiltIn.Recognize(file)!;

    private static TNetwork Filled<TNetwork>(TNetwork network, ICheckpoint weights)
        where TNetwork : Network
    {
        NetworkWeights.Fill(network, weights);
        return network;
    }

    // Whole models and autoencoders alone.
    private static ICheckpoint VaeOf(ICheckpoint file) =>
        VaeFamily.Named(
            file.Tensors.Keys.Any(name => name.Contains(VaePrefix, StringComparison.Ordinal))
                ? SubNetwork.In(file, VaePrefix)
                : new CheckpointView(
                    file,
                    NetworkCatalog.BuiltIn.Recognize(file) is { Family: AutoencoderKLFamily } found
                        ? found.Prefix
                        : throw new CheckpointException(
                            "The file holds no autoencoder of Stable Diffusion",
                            file.Path,
                            "Name one that does"
                        )
                )
        );

    private static TConfig Shown<TConfig>(NetworkFamily<TConfig> family, ICheckpoint weights)
        where TConfig : class =>
        family.Recognize(new ShapeTable(weights.Tensors.Select(pair => KeyValuePair.Create(pair.Key, pair.Value.Shape)), "")) is { } shown
            ? family.Keys.Read(family.Complete(shown).Config)
            : throw new CheckpointException($"The file lacks {family.Description}", weights.Path, "Fetch it again");

    // A conversion may have left safetensors.
    private static IEnumerable<string> Names(string published) => [published, Path.ChangeExtension(published, ".safetensors")];

    private static CatalogEntry Entry(string name) => CheckpointCatalog.Default.Find(name)!;

    private static CheckpointException Missing(string what, string size, CatalogEntry entry, string folder) =>
        new(
            $"GenDeg's bundle lacks {what}",
            folder,
            $"Put it there: {size} from {string.Join(" or ", entry.Sources.Prepend(entry.Home!).Distinct())}"
        );
}
