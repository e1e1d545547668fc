using Diffusion.Checkpoints;
using Diffusion.Faces;
using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Training;

/// <summary>
/// OSDFace in full size as its training sees it: low-rank updates of the UNet's layers and the embedding change learn, autoencoder and
/// embedder rest.
/// </summary>
/// <remarks>
/// The layers that are updated and their ranks are those of the bundle's own updates. The latent is the mean of the autoencoder's Gaussian.
/// Tested with tiny random weights, and not verified beyond that.
/// </remarks>
public sealed class OsdFaceLearner : IFaceLearner
{
    private const string Change = "embedding_change.";
    private readonly OsdFaceNetworks _networks;
    private readonly OsdFacePipeline _pipeline;
    private readonly Adapters _adapters;
    private readonly (Parameter Weight, Tensor Base, Parameter Down, Parameter Up)[] _updated;
    private readonly (Parameter Learning, Parameter Used)[] _changed;

    private OsdFaceLearner(
        OsdFaceNetworks networks,
        OsdFacePipeline pipeline,
        Adapters adapters,
        (Parameter, Tensor, Parameter, Parameter)[] updated,
        (Parameter, Parameter)[] changed,
        int side
    ) => (_networks, _pipeline, _adapters, _updated, _changed, Side) = (networks, pipeline, adapters, updated, changed, side);

    /// <summary>Loads a bundle.</summary>
    /// <param name="folder">As <see cref="OsdFaceBundle.Open"/> takes it.</param>
    /// <param name="policy">How the networks compute.</param>
    /// <param name="side">Side of the faces.</param>
    /// <exception cref="CheckpointException">A part is missing or of another family.</exception>
    public static OsdFaceLearner Open(string folder, ComputePolicy policy, int side = FaceTemplate.Size)
    {
        using OsdFaceBundle bundle = OsdFaceBundle.Open(folder);
        VisualEmbedder embedder = bundle.LoadEmbedder(policy);
        EmbeddingChange change = bundle.LoadChange(policy);
        StableDiffusionUNet unet = bundle.Diffusion.LoadUNet(policy);
        AutoencoderKL vae = bundle.LoadVae(policy);
        OsdFaceNetworks networks = new(() => embedder, () => change, () => unet, () => vae);
        Adapters adapters = new(bundle.Updates, change);
        Dictionary<string, Parameter> learning = adapters.Parameters.ToDictionary(parameter => parameter.Name),
            weights = unet.Parameters.ToDictionary(parameter => parameter.Name);
        (Parameter, Tensor, Parameter, Parameter)[] updated =
        [
            .. adapters.Layers.Select(layer =>
            {
                Parameter weight = weights[layer.Name + ".weight"];
                return (weight, weight.Value.clone().DetachFromDisposeScope(), learning[layer.Down], learning[layer.Up]);
            }),
        ];
        (Parameter, Parameter)[] changed = [.. change.Parameters.Select(parameter => (learning[Change + parameter.Name], parameter))];
        OsdFaceSettings settings = new() { Side = side, Latent = LatentChoice.Mode };
        return new OsdFaceLearner(
            networks,
            new OsdFacePipeline(networks, bundle.Diffusion.Schedule, settings),
            adapters,
            updated,
            changed,
            side
        );
    }

    /// <inheritdoc/>
    public int Side { get; }

    /// <inheritdoc/>
    public IReadOnlyList<Parameter> Parameters => _adapters.Parameters;

    /// <inheritdoc/>
    public void Initialize(ulong seed) => _adapters.Initialize(seed);

    /// <inheritdoc/>
    /// <remarks>The updates and the embedding change of a bundle.</remarks>
    public void Take(string path)
    {
        using OsdFaceBundle bundle = OsdFaceBundle.Open(path);
        using EmbeddingChange change = bundle.LoadChange(ComputePolicy.Reference);
        Dictionary<string, Tensor> known = change.Parameters.ToDictionary(parameter => Change + parameter.Name, p => p.Value.clone());
        foreach ((_, TensorEntry down, TensorEntry up) in bundle.Updates.Pairs)
            (known[down.Name], known[up.Name]) = (down.Read(ScalarType.Float32), up.Read(ScalarType.Float32));
        foreach (Parameter parameter in Parameters)
            if (known.TryGetValue(parameter.Name, out Tensor? values) && values.shape.SequenceEqual(parameter.Shape))
                parameter.Value = values;
    }

    /// <inheritdoc/>
    public (Tensor Restored, Tensor? OfCodes) Restore(Tensor degraded, Tensor clean, IReadOnlyList<bool> tokens, bool embedderLearns) =>
        (Restored(degraded), null);

    /// <inheritdoc/>
    public Tensor OfCodes(Tensor degraded, Tensor clean) =>
        throw new NotSupportedException("OSDFace's embedder rests while its UNet learns. Train without steps of the embedder.");

    /// <inheritdoc/>
    public FaceView View(Tensor degraded) => new(Restored(degraded), null, []);

    private Tensor Restored(Tensor degraded)
    {
        foreach ((Parameter weight, Tensor start, Parameter down, Parameter up) in _updated)
            weight.Value = start + torch.matmul(up.Value.flatten(1), down.Value.flatten(1)).reshape(start.shape).to(start.dtype);
        foreach ((Parameter learning, Parameter used) in _changed)
            used.Value = learning.Value.alias();
        return _pipeline.Restore(degraded, new PhiloxNoise(0, [new ImageKey(0)])) * 2 - 1;
    }

    /// <inheritdoc/>
    /// <remarks>The files have the names that a bundle wants; Stable Diffusion and the embedder stay where they are.</remarks>
    public void Write(string folder, FaceTrainingPlan plan, TrainingState state, FaceValidation validation)
    {
        TrainedFiles.Write(
            folder,
            "pytorch_lora_weights",
            state,
            plan.Faces,
            () => FaceCard.Of(plan, state, validation, "osdface", []),
            name => FaceCard.Ships(name) && !name.StartsWith(Change, StringComparison.Ordinal)
        );
        using DisposeScope scope = torch.NewDisposeScope();
        SafetensorsWriter.Write(
            Path.Combine(folder, "embedding_change_weights.safetensors"),
            state
                .Export(TrainedWeights.ShortAverage)
                .Where(weight => weight.Key.StartsWith(Change, StringComparison.Ordinal))
                .ToDictionary(weight => weight.Key[Change.Length..], weight => weight.Value)
        );
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach ((_, Tensor start, _, _) in _updated)
            start.Dispose();
        _adapters.Dispose();
        _networks.Dispose();
    }

    /// <summary>What learns: A starts at random and B at zero, so that a new training starts from Stable Diffusion itself.</summary>
    private sealed class Adapters : Network
    {
        public Adapters(LoraUpdates updates, EmbeddingChange change)
            : base(null)
        {
            foreach ((string layer, TensorEntry down, TensorEntry up) in updates.Pairs.OrderBy(pair => pair.Layer, StringComparer.Ordinal))
            {
                Declare(down.Name, [.. down.Shape], Init.FanIn(down.Shape.Skip(1).Aggregate(1L, (a, b) => a * b)), keepFloat32: true);
                Declare(up.Name, [.. up.Shape], Init.Zeros, keepFloat32: true);
                Layers.Add((layer, down.Name, up.Name));
            }
            foreach (Parameter parameter in change.Parameters)
                Declare(Change + parameter.Name, parameter.Shape, Init.FanIn(change.Parameters[0].Shape[1]), keepFloat32: true);
        }

        public List<(string Name, string Down, string Up)> Layers { get; } = [];
    }
}
