using System.Text.Json.Nodes;
using Diffusion.Checkpoints;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Sampling;

namespace Diffusion.Models;

/// <summary>
/// Stable Diffusion on disk as it is published: a folder of diffusers (<c>unet</c>, <c>vae</c>, <c>scheduler</c>; weights whole or in
/// parts with an index), or a single file with CompVis' names.
/// </summary>
/// <remarks>Opening reads tables of contents only. Of a single file the averaged (EMA) weights are taken where there are some.</remarks>
public sealed class StableDiffusionFiles : IDisposable
{
    private const string UNetName = "unet",
        VaeName = "vae";
    private readonly List<ICheckpoint> _opened = [];

    private StableDiffusionFiles(string path) => Path = path;

    /// <summary>The folder or file.</summary>
    public string Path { get; }

    /// <summary>The UNet's weights under diffusers' names.</summary>
    public ICheckpoint UNet { get; private set; } = null!;

    /// <summary>The autoencoder's weights under diffusers' names.</summary>
    public ICheckpoint Vae { get; private set; } = null!;

    /// <summary>The UNet's constructor arguments.</summary>
    public StableDiffusionUNetConfig UNetConfig { get; private set; } = null!;

    /// <summary>The autoencoder's constructor arguments.</summary>
    public AutoencoderKLConfig VaeConfig { get; private set; } = null!;

    /// <summary>The schedule that the UNet was trained with.</summary>
    public NoiseSchedule Schedule { get; private set; } = NoiseSchedule.ScaledLinear();

    /// <summary>What the UNet predicts; of a single file, which does not tell, the noise is assumed.</summary>
    public Prediction Prediction { get; private set; } = Prediction.Epsilon;

    /// <summary>Whether a folder is one of diffusers with a UNet and an autoencoder, or half of one.</summary>
    public static bool IsFolder(string folder) =>
        Directory.Exists(System.IO.Path.Combine(folder, UNetName)) || Directory.Exists(System.IO.Path.Combine(folder, VaeName));

    /// <summary>Opens a folder or a file.</summary>
    /// <param name="path">A folder of diffusers, or a <c>.ckpt</c> or <c>.safetensors</c> file of the whole model.</param>
    /// <exception cref="CheckpointException">A part is missing, cannot be read, or is of another family.</exception>
    public static StableDiffusionFiles Open(string path)
    {
        StableDiffusionFiles files = new(path);
        try
        {
            if (Directory.Exists(path))
                files.OpenFolder();
            else
                files.OpenFile();
            return files;
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    /// <summary>Builds the UNet and loads it.</summary>
    /// <param name="policy">How it computes.</param>
    /// <param name="updates">LoRA updates that are merged into its weights; null: none.</param>
    /// <returns>The caller disposes it.</returns>
    /// <exception cref="CheckpointException">Weights or updates do not fit.</exception>
    public StableDiffusionUNet LoadUNet(ComputePolicy policy, LoraUpdates? updates = null)
    {
        StableDiffusionUNet network = new(UNetConfig, policy);
        NetworkWeights.Fill(network, updates?.Merge(UNet) ?? UNet);
        return network;
    }

    /// <summary>Builds the autoencoder and loads it.</summary>
    /// <param name="policy">How it computes.</param>
    /// <returns>The caller disposes it.</returns>
    /// <exception cref="CheckpointException">The weights do not fit.</exception>
    public AutoencoderKL LoadVae(ComputePolicy policy)
    {
        AutoencoderKL network = new(VaeConfig, policy);
        NetworkWeights.Fill(network, Vae);
        return network;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (ICheckpoint checkpoint in _opened)
            checkpoint.Dispose();
    }

    private void OpenFolder()
    {
        (UNet, UNetConfig) = Part(UNetName, new StableDiffusionUNetFamily(), "UNet2DConditionModel");
        (Vae, VaeConfig) = Part(VaeName, new AutoencoderKLFamily(), "AutoencoderKL");
        if (new DiffusersFiles(System.IO.Path.Combine(Path, "scheduler", "weights")).Scheduler() is var (schedule, prediction))
            (Schedule, Prediction) = (schedule, prediction);
    }

    private (ICheckpoint, TConfig) Part<TConfig>(string name, NetworkFamily<TConfig> family, string kind)
        where TConfig : class
    {
        string folder = System.IO.Path.Combine(Path, name);
        string weights = DiffusersFolder.WeightsIn(folder)
            ?? throw new CheckpointException(
                $"The {name} of Stable Diffusion is missing",
                folder,
                "Fetch it from where the rest of the folder is published"
            );
        ICheckpoint file = Checkpoint.Open(weights);
        _opened.Add(file);
        ICheckpoint named = family.Named(file);
        DiffusersFiles beside = new(weights);
        JsonObject? config = beside.Network(kind);
        return (named, config is null ? Shown(family, named) : beside.Guarded("config.json", () => family.Keys.Read(config)));
    }

    private void OpenFile()
    {
        ICheckpoint file = Checkpoint.Open(Path);
        _opened.Add(file);
        (UNet, UNetConfig) = Inside(file, "model.diffusion_model.", new StableDiffusionUNetFamily());
        (Vae, VaeConfig) = Inside(file, "first_stage_model.", new AutoencoderKLFamily());
    }

    private static (ICheckpoint, TConfig) Inside<TConfig>(ICheckpoint file, string prefix, NetworkFamily<TConfig> family)
        where TConfig : class
    {
        if (!file.Tensors.Keys.Any(name => name.Contains(prefix, StringComparison.Ordinal)))
            throw Other(file);
        ICheckpoint named = family.Named(SubNetwork.In(file, prefix));
        return (named, Shown(family, named));
    }

    private static TConfig Shown<TConfig>(NetworkFamily<TConfig> family, ICheckpoint weights)
        where TConfig : class
    {
        JsonObject shown = family.Recognize(
            new ShapeTable(weights.Tensors.Select(pair => KeyValuePair.Create(pair.Key, pair.Value.Shape)), "")
        ) ?? throw Other(weights);
        return family.Keys.Read(family.Complete(shown).Config);
    }

    private static CheckpointException Other(ICheckpoint file) =>
        new(
            NetworkCatalog.BuiltIn.Recognize(file) is { } found
                ? $"The file holds {found.Family.Description}, not Stable Diffusion"
                : "The file is of no network that is known here, not of Stable Diffusion",
            file.Path,
            "Give a folder of diffusers (unet, vae, scheduler), or one file of the whole model"
        );
}
