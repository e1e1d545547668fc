using Diffusion.Imaging;
using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.Settings;

namespace Diffusion.Synthesis.GenDeg;

/// <summary>
/// Degrades pictures by GenDeg's published weights: Rajagopalan et al., "GenDeg: Diffusion-based Degradation Synthesis for Generalizable
/// All-In-One Image Restoration" (CVPR 2025).
/// </summary>
/// <remarks>
/// The published script makes squares of 512 pixels. Here pictures keep their shape: mirrored up to what the UNet takes, computed whole or,
/// where memory asks for it, in tiles that are blended in every step.
/// </remarks>
public sealed class GenDegGenerator : IDegradationGenerator
{
    // Latents are halved three times by the UNet, which doubles them without regard to what was cut off.
    private const int Halvings = 8;

    // Of the structure correction's levels.
    private const int TileMultiple = 16;

    // Encoded prompts that are kept: many pictures may share one.
    private const int KeptTexts = 64;

    private readonly GenDegBundle _bundle;
    private readonly GenDegNetworks _networks;
    private readonly GenDegMemory _memory;
    private readonly ComputePolicy _policy;
    private readonly long? _bound;
    private readonly Dictionary<string, Tensor> _texts = [];

    /// <summary>Opens a bundle.</summary>
    /// <param name="folder">As for <see cref="GenDegBundle.Open"/>.</param>
    /// <param name="settings">How it is run; null: as by default.</param>
    /// <param name="policy">How it computes; null: as suits the machine.</param>
    /// <param name="memory">Bytes that the process may take; null: what is free.</param>
    /// <exception cref="CheckpointException">A part is missing or of another family.</exception>
    public GenDegGenerator(string folder, GenDegSettings? settings = null, ComputePolicy? policy = null, long? memory = null)
    {
        Settings = settings ?? new();
        _policy = policy ?? ComputePolicy.Choose();
        _bundle = GenDegBundle.Open(folder, Settings.Correction != StructureCorrection.None, Settings.Vae.Length > 0 ? Settings.Vae : null);
        _networks = new GenDegNetworks(_bundle, _policy);
        _memory = new GenDegMemory(_bundle, _policy);
        _bound = memory;
        string changed = string.Join(
            ',',
            Setting
                .Of(typeof(GenDegSettings))
                .Where(setting => setting.Get(Settings) != setting.DefaultText)
                .Select(setting => $"{setting.Name}={setting.Get(Settings)}")
        );
        Name = changed.Length > 0 ? $"gendeg:{changed}" : "gendeg";
    }

    /// <summary>How it is run.</summary>
    public GenDegSettings Settings { get; }

    /// <summary><c>gendeg</c>, and behind a colon the settings that are not the usual ones.</summary>
    public string Name { get; }

    /// <inheritdoc/>
    public IReadOnlyList<DegradationKind> Kinds { get; } = Enum.GetValues<DegradationKind>();

    /// <summary>Told the number of steps that are done, of <see cref="GenDegSettings.Steps"/>.</summary>
    public Action<int>? Progress { get; init; }

    /// <inheritdoc/>
    public Tensor Clean(Tensor picture)
    {
        if (Settings.Preset != GenDegPreset.Paper)
            return picture.alias();
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor bytes = (picture.clamp(0, 1) * 255).round().to(ScalarType.Byte);
        return (
            PillowResize.Resize(bytes, Settings.Side, Settings.Side, ResampleKernel.Lanczos).to(ScalarType.Float32) / 255
        ).MoveToOuterDisposeScope();
    }

    /// <summary>How a picture would be computed within the memory that there is, the fastest way that fits.</summary>
    /// <param name="height">Its height.</param>
    /// <param name="width">Its width.</param>
    /// <exception cref="ResourceException">It does not fit at all.</exception>
    public GenDegPlan Plan(int height, int width) =>
        _memory.Plan(
            (int)(height + Missing(height)),
            (int)(width + Missing(width)),
            _bound ?? MemoryEstimate.Available() + Environment.WorkingSet,
            Settings.Tile > 0 ? Settings.Tile : null
        );

    /// <inheritdoc/>
    public Synthesized Generate(Tensor clean, in DegradationRequest request, CancellationToken cancellation = default)
    {
        if (clean.dim() != 4 || clean.shape[0] != 1 || clean.shape[1] != 3)
            throw new ArgumentException($"A clean picture is [1,3,H,W], not [{string.Join(",", clean.shape)}].");
        using ComputeScope compute = new();
        Tensor picture = Padded(clean.to(_policy.Device) * 2 - 1);
        GenDegPlan plan = Plan((int)clean.shape[2], (int)clean.shape[3]);
        _networks.Frugal = plan.Frugal;
        (string prompt, string? note) = Prompt(request);
        Tensor context = Context(prompt, [IntensityBins.Mu.Of(request.Intensity.Mu), IntensityBins.Sigma.Of(request.Intensity.Sigma)]),
            nothing = Context("", [IntensityBins.Mu.Null, IntensityBins.Sigma.Null]);
        PhiloxNoise noise = new(request.Seed, [ImageKey.FromName(request.Key)]);
        Tensor latent = Latent(picture, plan);
        Tensor z = _networks.UNet(unet =>
            new GenDegSampler(unet, _bundle.Schedule, Settings)
            {
                Tile = plan.Tile / _bundle.VaeConfig.Factor,
                Together = plan.Together,
                Progress = Progress,
            }.Sample(latent, context, nothing, noise, cancellation)
        );
        Tensor degraded = Decoded(z, plan);
        if (Settings.Corrects(request.Kind))
            degraded = Corrected(picture, degraded, plan);
        degraded = Written(degraded.narrow(2, 0, clean.shape[2]).narrow(3, 0, clean.shape[3])).cpu();
        return new Synthesized(compute.Return(degraded.contiguous()), Intensity.Between(degraded, clean), note);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ForgetTexts();
        _networks.Dispose();
        _bundle.Dispose();
    }

    private (string Prompt, string? Note) Prompt(DegradationRequest request)
    {
        string caption = request.Caption ?? "a photo";
        string prompt = GenDegPrompt.EndsWithConditions(caption)
            ? GenDegPrompt.Replaced(caption, request.Kind, request.Dataset)
            : GenDegPrompt.Of(caption, request.Kind, request.Dataset);
        int surplus = _bundle.Tokenizer.Encode(prompt).Count + 2 - _bundle.TextConfig.Positions;
        string? note =
            surplus > 0 ? $"the prompt is too long by {surplus} tokens, which are left out"
            : request.Intensity.Mu >= IntensityBins.Mu.High || request.Intensity.Sigma >= IntensityBins.Sigma.High
                ? "the intensity lies above the bins of the network, the last of which is taken"
            : null;
        return (prompt, note);
    }

    private Tensor Context(string prompt, int[] bins)
    {
        if (_texts.Count >= KeptTexts && !_texts.ContainsKey(prompt))
            ForgetTexts();
        if (!_texts.TryGetValue(prompt, out Tensor? text))
            _texts[prompt] = text = _networks
                .Text(encoder =>
                {
                    using Tensor ids = _bundle.Tokenizer.Padded([prompt], encoder.Config.Positions),
                        there = ids.to(_policy.Device);
                    return encoder.Encode(there);
                })
                .DetachFromDisposeScope();
        Tensor intensity = torch.stack([IntensityBins.Mu.OneHot(bins[0]), IntensityBins.Sigma.OneHot(bins[1])], dim: 1).to(_policy.Device);
        return _networks.Context(layers => layers.Forward(text, intensity));
    }

    private void ForgetTexts()
    {
        foreach (Tensor text in _texts.Values)
            text.Dispose();
        _texts.Clear();
    }

    // The mode, not scaled.
    private Tensor Latent(Tensor picture, GenDegPlan plan)
    {
        Tensor moments = _networks.Vae(vae =>
            FiniteOutput.Of(vae, "The encoder", module => LatentTiles.Encode(vae, picture, plan.Tile, module))
        );
        return LatentGaussian.Mean(moments);
    }

    private Tensor Decoded(Tensor z, GenDegPlan plan) =>
        _networks
            .Vae(vae =>
            {
                using Tensor unscaled = z / vae.Config.ScalingFactor;
                return FiniteOutput.Of(vae, "The decoder", module => LatentTiles.Decode(vae, unscaled, plan.Tile, module));
            })
            .clamp(-1, 1);

    private Tensor Corrected(Tensor clean, Tensor generated, GenDegPlan plan)
    {
        Tensor both = torch.cat([clean, generated], dim: 1);
        return _networks.Correction(correction =>
            PictureTiles.Compute(both, plan.Tile, TileMultiple, part =>
                FiniteOutput.Of(correction, "The structure correction", module => correction.Forward(part, module))
            )
        );
    }

    private Tensor Written(Tensor degraded)
    {
        Tensor values = ((degraded + 1) / 2).clamp(0, 1);
        return Settings.Preset == GenDegPreset.Paper ? (values * 255).floor() / 255 : values;
    }

    private Tensor Padded(Tensor picture)
    {
        long bottom = Missing(picture.shape[2]),
            right = Missing(picture.shape[3]);
        if (bottom + right == 0)
            return picture;
        bool fits = bottom < picture.shape[2] && right < picture.shape[3];
        return torch.nn.functional.pad(picture, [0, right, 0, bottom], fits ? PaddingModes.Reflect : PaddingModes.Replicate);
    }

    private long Missing(long size)
    {
        long multiple = (long)_bundle.VaeConfig.Factor * Halvings;
        return (multiple - size % multiple) % multiple;
    }
}
