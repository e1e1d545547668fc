using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Diffusion.Checkpoints;
using Diffusion.Models;
using Diffusion.Native;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Settings;
using Diffusion.Synthesis.Rendering;

namespace Diffusion.Synthesis.Small;

/// <summary>
/// Degrades pictures by a small conditional diffusion network that is trained here: any size, any of GenDeg's conditions. Kinds that it
/// was not trained for, or that its card says renderers make better, are rendered.
/// </summary>
/// <remarks>
/// Each sample is computed by one thread of libtorch wherever the command makes it, so that its bits don't depend on their number.
/// </remarks>
public sealed class SmallGenerator : IDegradationGenerator
{
    /// <summary>The name that the shipped one goes by.</summary>
    public const string ShippedName = "small";

    private const string Folder = "gendeg-small",
        Card = "card.json",
        Made = "degradations";
    private const double Tolerance = 0.15;
    private readonly DegradationUNet _network;
    private readonly SmallSettings _settings;
    private readonly HashSet<DegradationKind> _made;
    private readonly RenderedGenerator _renderers = new();

    /// <summary>A generator by a network.</summary>
    /// <param name="network">Taken over.</param>
    /// <param name="settings">How it is run; null: as by default.</param>
    /// <param name="made">The kinds that it makes; null: all. The others are rendered.</param>
    /// <param name="name">What manifests call it.</param>
    public SmallGenerator(
        DegradationUNet network,
        SmallSettings? settings = null,
        IReadOnlyCollection<DegradationKind>? made = null,
        string name = ShippedName
    )
    {
        (_network, _settings, _made) = (network, settings ?? new(), [.. made ?? Enum.GetValues<DegradationKind>()]);
        string changed = string.Join(
            ',',
            Setting
                .Of(typeof(SmallSettings))
                .Where(setting => setting.Get(_settings) != setting.DefaultText)
                .Select(setting => $"{setting.Name}={setting.Get(_settings)}")
        );
        Name = changed.Length > 0 ? $"{name}:{changed}" : name;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public IReadOnlyList<DegradationKind> Kinds { get; } = Enum.GetValues<DegradationKind>();

    /// <inheritdoc/>
    public bool IsConcurrent => true;

    /// <summary>Whether a folder holds what <c>diffusion train gendeg</c> leaves.</summary>
    public static bool IsIn(string folder) => File.Exists(Path.Combine(folder, Card));

    /// <summary>Opens the folder that ships.</summary>
    /// <exception cref="CheckpointException">It is not installed.</exception>
    public static SmallGenerator Shipped(SmallSettings? settings = null, ComputePolicy? policy = null) =>
        Open(
            PriorFiles.Folders.Select(folder => Path.Combine(folder, Folder)).FirstOrDefault(IsIn)
                ?? throw new CheckpointException(
                    "There is no small generator",
                    Path.Combine(AppContext.BaseDirectory, "checkpoints", Folder),
                    "Train one with diffusion train gendeg and name its folder with --generator, or take --generator rendered"
                ),
            settings,
            policy,
            ShippedName
        );

    /// <summary>Opens a folder that a training left.</summary>
    /// <param name="folder">With a card and its weights.</param>
    /// <param name="settings">How it is run; null: as by default.</param>
    /// <param name="policy">How it computes; null: as suits the machine.</param>
    /// <param name="name">What manifests call it; null: as the card does, with the hash of its weights.</param>
    /// <exception cref="CheckpointException">The card is damaged, or the weights are of another network.</exception>
    public static SmallGenerator Open(string folder, SmallSettings? settings = null, ComputePolicy? policy = null, string? name = null)
    {
        string path = Path.Combine(folder, Card);
        JsonObject? card = null;
        try
        {
            card = JsonNode.Parse(File.ReadAllText(path)) as JsonObject;
        }
        catch (JsonException) { }
        if (card?["kind"]?.ToString() != DegradationUNetFamily.Name || card["config"] is not JsonObject config)
            throw new CheckpointException(
                "The folder's card is not that of a generator of degradations",
                path,
                "Give the folder model/ that diffusion train gendeg left, or the folder of GenDeg's published files"
            );
        string weights = Path.Combine(folder, card["file"]?.ToString() ?? "");
        if (!File.Exists(weights))
            throw new CheckpointException("The weights that the card names are missing", weights, "Copy the whole folder");
        NetworkFamily family = NetworkCatalog.BuiltIn.Find(DegradationUNetFamily.Name);
        DegradationUNet network = (DegradationUNet)family.Create(config, policy ?? ComputePolicy.Choose());
        try
        {
            using ICheckpoint file = Checkpoint.Open(weights);
            NetworkWeights.Fill(network, family.Named(file));
            DegradationKind[] made = [.. (card[Made] as JsonArray ?? []).Select(one => DegradationKinds.Parse(one?.ToString() ?? ""))];
            return new SmallGenerator(network, settings, made, name ?? $"{card["name"]}-{card["sha256"]?.ToString()[..8]}");
        }
        catch (Exception e)
        {
            network.Dispose();
            throw e is ArgumentException
                ? new CheckpointException(e.Message.TrimEnd('.'), path, "Copy the whole folder of a training again", e)
                : e;
        }
    }

    /// <inheritdoc/>
    public Synthesized Generate(Tensor clean, in DegradationRequest request, CancellationToken cancellation = default)
    {
        if (clean.dim() != 4 || clean.shape[0] != 1 || clean.shape[1] != 3)
            throw new ArgumentException($"A clean picture is [1,3,H,W], not [{string.Join(",", clean.shape)}].", nameof(clean));
        if (!_made.Contains(request.Kind))
            return _renderers.Generate(clean, request, cancellation);
        using FinalizerHold hold = new();
        using ComputeScope scope = new();
        Intensity asked = request.Intensity;
        Tensor padded = Padded(clean.to(_network.Policy.Device));
        PhiloxNoise noise = new(request.Seed, [ImageKey.FromName(request.Key)]);
        Tensor change = new DegradationSampler(_network, _settings)
            .Sample(padded, request.Kind, asked, noise, cancellation)
            .narrow(2, 0, clean.shape[2])
            .narrow(3, 0, clean.shape[3])
            .cpu();
        Tensor degraded = _settings.Fit ? ChangeFit.Fit(clean, change, asked) : (clean + change).clamp(0, 1);
        Intensity measured = Intensity.Between(degraded, clean);
        return new Synthesized(scope.Return(degraded.contiguous()), measured, Note(measured, asked));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _network.Dispose();
        _renderers.Dispose();
    }

    private static string? Note(Intensity measured, Intensity asked) =>
        Math.Abs(measured.Mu - asked.Mu) <= Tolerance * asked.Mu && Math.Abs(measured.Sigma - asked.Sigma) <= Tolerance * asked.Sigma
            ? null
            : string.Create(
                CultureInfo.InvariantCulture,
                $"mu {asked.Mu:0.000} and sigma {asked.Sigma:0.000} were asked, {measured.Mu:0.000} and {measured.Sigma:0.000} were made"
            );

    private Tensor Padded(Tensor picture)
    {
        long bottom = Missing(picture.shape[2]),
            right = Missing(picture.shape[3]);
        if (bottom + right == 0)
            return picture;
        bool fits = bottom < picture.shape[2] && right < picture.shape[3];
        return torch.nn.functional.pad(picture, [0, right, 0, bottom], fits ? PaddingModes.Reflect : PaddingModes.Replicate);
    }

    private long Missing(long size) => (_network.SizeMultiple - size % _network.SizeMultiple) % _network.SizeMultiple;
}
