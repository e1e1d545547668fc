using Diffusion.Checkpoints;
using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Faces;

/// <summary>
/// The files of OSDFace as they are published, in one folder, with Stable Diffusion 2.1-base in a folder of it or elsewhere.
/// </summary>
/// <remarks>Opening reads tables of contents and checks that everything is there; weights are read when a network is loaded.</remarks>
public sealed class OsdFaceBundle : IDisposable
{
    private const string UNetPrefix = "unet.";
    private readonly ICheckpoint _embedder,
        _change,
        _updates;

    private OsdFaceBundle(ICheckpoint embedder, ICheckpoint change, ICheckpoint updates, StableDiffusionFiles diffusion) =>
        (_embedder, _change, _updates, Diffusion) = (embedder, change, updates, diffusion);

    /// <summary>Stable Diffusion.</summary>
    public StableDiffusionFiles Diffusion { get; }

    /// <summary>Opens a bundle.</summary>
    /// <param name="folder">
    /// Holds <c>associate_2.ckpt</c>, <c>embedding_change_weights.pth</c>, <c>pytorch_lora_weights.safetensors</c>.
    /// </param>
    /// <param name="diffusion">Stable Diffusion 2.1-base; null: a folder or a file in <paramref name="folder"/>.</param>
    /// <exception cref="CheckpointException">A part is missing (the message says where it is published), or of another family.</exception>
    public static OsdFaceBundle Open(string folder, string? diffusion = null)
    {
        if (!Directory.Exists(folder))
            throw new CheckpointException(
                "There is no such folder of OSDFace's files",
                folder,
                "Name the folder with --model-set bundle=FOLDER"
            );
        List<ICheckpoint> opened = [];
        StableDiffusionFiles? files = null;
        try
        {
            ICheckpoint embedder = Opened("osdface-embedder", "vre"),
                change = Opened("osdface-embedding-change", "embedding-change"),
                updates = Opened("osdface-lora", "lora");
            files = StableDiffusionFiles.Open(diffusion ?? Base(folder) ?? throw Missing("sd21-base", folder));
            return new OsdFaceBundle(embedder, change, updates, files);
        }
        catch
        {
            opened.ForEach(file => file.Dispose());
            files?.Dispose();
            throw;
        }

        ICheckpoint Opened(string name, string kind)
        {
            CatalogEntry entry = CheckpointCatalog.Default.Find(name)!;
            string path = entry
                .Files.SelectMany(file => new[] { file, Path.ChangeExtension(file, ".safetensors") })
                .Select(file => Path.Combine(folder, file))
                .FirstOrDefault(File.Exists)
                ?? throw Missing(name, folder);
            ICheckpoint file = Checkpoint.Open(path);
            opened.Add(file);
            if (NetworkCatalog.BuiltIn.Recognize(file) is var found && found?.Family.Kind == kind)
                return file;
            string holds = found is null ? "is of no network that is known here" : $"holds {found.Family.Description}";
            throw new CheckpointException(
                $"The file {holds}, not {entry.Title}",
                path,
                $"Put the file there that is published at {entry.Home}"
            );
        }
    }

    /// <summary>The UNet's updates, whose scale alpha / rank is 1; they need this bundle to be open.</summary>
    public LoraUpdates Updates => new(_updates, UNetPrefix) { OnlyPeftConvolutions = true };

    /// <summary>Loads the visual representation embedder; the caller disposes it.</summary>
    /// <exception cref="CheckpointException">The weights do not fit.</exception>
    public VisualEmbedder LoadEmbedder(ComputePolicy policy) => (VisualEmbedder)Load(_embedder, policy);

    /// <summary>Loads the embedding change; the caller disposes it.</summary>
    /// <exception cref="CheckpointException">The weights do not fit.</exception>
    public EmbeddingChange LoadChange(ComputePolicy policy) => (EmbeddingChange)Load(_change, policy);

    /// <summary>Loads the UNet with the updates merged; the caller disposes it.</summary>
    /// <exception cref="CheckpointException">Weights or updates do not fit.</exception>
    public StableDiffusionUNet LoadUNet(ComputePolicy policy) => Diffusion.LoadUNet(policy, Updates);

    /// <summary>Loads the autoencoder; the caller disposes it.</summary>
    /// <exception cref="CheckpointException">The weights do not fit.</exception>
    public AutoencoderKL LoadVae(ComputePolicy policy) => Diffusion.LoadVae(policy);

    /// <inheritdoc/>
    public void Dispose()
    {
        _embedder.Dispose();
        _change.Dispose();
        _updates.Dispose();
        Diffusion.Dispose();
    }

    /// <summary>The embedder without weights; the caller disposes it.</summary>
    internal Network NewEmbedder(ComputePolicy policy) => New(NetworkCatalog.BuiltIn.Recognize(_embedder)!, policy);

    private static Network Load(ICheckpoint file, ComputePolicy policy)
    {
        RecognizedNetwork found = NetworkCatalog.BuiltIn.Recognize(file)!;
        Network network = New(found, policy);
        NetworkWeights.Fill(network, found.Weights(file));
        return network;
    }

    private static Network New(RecognizedNetwork found, ComputePolicy policy) =>
        found.Family.Create(found.Family.Complete(found.Config).Config, policy);

    private static string? Base(string folder) =>
        StableDiffusionFiles.IsFolder(folder)
            ? folder
            : Directory.GetDirectories(folder).Order(StringComparer.Ordinal).FirstOrDefault(StableDiffusionFiles.IsFolder)
                ?? CheckpointCatalog
                    .Default.Find("sd21-base")!
                    .Files.Select(file => Path.Combine(folder, file))
                    .FirstOrDefault(File.Exists);

    private static CheckpointException Missing(string name, string folder)
    {
        CatalogEntry entry = CheckpointCatalog.Default.Find(name)!;
        return new(
            $"OSDFace's bundle lacks {entry.Files[0]}, {entry.Title}",
            folder,
            $"Put it there: {Size(entry)} from {string.Join(" or ", entry.Sources.Prepend(entry.Home!).Distinct())}"
        );

        static string Size(CatalogEntry entry) => entry.SizeMegabytes is { } megabytes ? $"about {megabytes} MB" : "it";
    }
}
