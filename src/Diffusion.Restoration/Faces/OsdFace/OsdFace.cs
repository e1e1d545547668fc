using Diffusion.Inverse;
using Diffusion.Pipeline;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.Settings;

namespace Diffusion.Faces;

/// <summary>
/// Restores aligned faces in one evaluation of Stable Diffusion 2.1-base, by OSDFace's published weights: what <c>--model osdface</c> and
/// <c>face --model BUNDLE</c> call.
/// </summary>
[RestorationMethod("osdface", "Restores aligned faces in one step of Stable Diffusion 2.1-base, by OSDFace's published weights")]
public sealed record OsdFace : IRestorationMethod
{
    private OsdFaceBundle? _files;
    private OsdFaceNetworks? _networks;

    /// <summary>The folder with OSDFace's published files.</summary>
    [Setting]
    public string Bundle { get; init; } = "";

    /// <summary>Stable Diffusion 2.1-base, a folder or one file, where it does not lie in the bundle.</summary>
    [Setting]
    public string Base { get; init; } = "";

    /// <summary>Whose arithmetic is kept to: paper truncates results to 8 bits, the default rounds them.</summary>
    [Setting]
    public FacePreset Preset { get; init; }

    /// <summary>What is done to the colours.</summary>
    [Setting]
    public FaceColorFix ColorFix { get; init; }

    /// <summary>How the latent of the input is taken.</summary>
    [Setting]
    public LatentChoice Latent { get; init; }

    /// <summary>Side in pixels to which square pictures are resized, and of what the embedder sees.</summary>
    [Setting(Min = 8, Max = 4096)]
    public int Side { get; init; } = FaceTemplate.Size;

    /// <summary>The UNet's time.</summary>
    [Setting(Min = 0, Max = 999)]
    public int Timestep { get; init; } = 399;

    internal ComputePolicy Policy { get; private set; } = new();

    internal OsdFaceMemory Memory { get; private set; } = null!;

    internal int SizeMultiple => _files!.Diffusion.VaeConfig.Factor;

    internal OsdFaceNetworks Networks =>
        _networks ?? throw new InvalidOperationException("The method is not open yet. A RestorationRunner opens what it is given.");

    /// <inheritdoc/>
    /// <exception cref="CheckpointException">A part of the bundle is missing or does not fit.</exception>
    public void Open(ComputePolicy policy)
    {
        if (Bundle.Length == 0)
            throw new CheckpointException(
                "It is not said where OSDFace's files are",
                "bundle",
                "Give --model-set bundle=FOLDER; diffusion checkpoints list says where they are published"
            );
        Policy = policy;
        _files = OsdFaceBundle.Open(Bundle, Base.Length > 0 ? Base : null);
        _networks = OsdFaceNetworks.Of(_files, policy);
        Memory = new OsdFaceMemory(_files, policy);
    }

    /// <inheritdoc/>
    public void KeepWithin(long bytes) => Memory.Bound = bytes;

    /// <inheritdoc/>
    /// <exception cref="ImageException">It is no picture.</exception>
    public string KindOf(Measurement measurement) => OsdFaceRestoration.ShapeOf(measurement).ToString();

    /// <inheritdoc/>
    public IRestoration Begin(IReadOnlyList<Measurement> batch) => new OsdFaceRestoration(this, batch);

    /// <inheritdoc/>
    public void Dispose()
    {
        _networks?.Dispose();
        _files?.Dispose();
    }

    internal OsdFacePipeline Pipeline(int? tile) =>
        new(
            Networks,
            _files!.Diffusion.Schedule,
            new OsdFaceSettings
            {
                Side = Side,
                Timestep = Timestep,
                Latent = Latent,
                ColorFix = ColorFix,
                Preset = Preset,
                Tile = tile,
            }
        );
}
