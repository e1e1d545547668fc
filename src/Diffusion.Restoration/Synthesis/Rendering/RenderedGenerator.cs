using System.Globalization;

namespace Diffusion.Synthesis.Rendering;

/// <summary>
/// Degradations by their physics, one renderer a kind. A scene's layout is drawn once; two dials of it are turned until mu and sigma are
/// those that are asked, within 10 %, or as near to them as this scene allows.
/// </summary>
public sealed class RenderedGenerator : IDegradationGenerator
{
    private const double SmallUnit = 144;

    private static readonly IRenderer[] Renderers =
    [
        new HazeRenderer(),
        new RainRenderer(),
        new SnowRenderer(),
        new MotionBlurRenderer(),
        new LowLightRenderer(),
        new RaindropRenderer(),
    ];

    /// <inheritdoc/>
    public string Name => "rendered";

    /// <inheritdoc/>
    public IReadOnlyList<DegradationKind> Kinds { get; } = [.. Renderers.Select(renderer => renderer.Kind)];

    /// <inheritdoc/>
    public bool IsConcurrent => true;

    /// <inheritdoc/>
    public Synthesized Generate(Tensor clean, in DegradationRequest request, CancellationToken cancellation = default)
    {
        DegradationKind kind = request.Kind;
        IRenderer renderer = Array.Find(Renderers, one => one.Kind == kind)
            ?? throw new ArgumentException($"There is no renderer of {kind}.", nameof(request));
        Canvas canvas = Canvas.From(clean),
            small = canvas.Shrink(SmallUnit);
        float[]? depth = DepthOf(request.Depth, canvas);
        SampleDraws draws = new(request.Seed, request.Key);
        IScene scene = renderer.Compose(canvas, draws, depth),
            smallScene = renderer.Compose(small, draws.Again(), depth is null ? null : canvas.Shrink(depth, SmallUnit));
        Intensity asked = request.Intensity;
        (Canvas picture, Intensity measured, bool met) = new Calibration(canvas, scene, small, smallScene).Find(asked, cancellation);
        string? note = met
            ? null
            : string.Create(
                CultureInfo.InvariantCulture,
                $"mu {asked.Mu:0.000} and sigma {asked.Sigma:0.000} are out of reach here, "
                    + $"the nearest are {measured.Mu:0.000} and {measured.Sigma:0.000}"
            );
        return new Synthesized(picture.ToTensor(), measured, note);
    }

    /// <inheritdoc/>
    public void Dispose() { }

    private static float[]? DepthOf(Tensor? depth, Canvas canvas)
    {
        if (depth is null)
            return null;
        if (!depth.shape.SequenceEqual([1, 1, canvas.Height, canvas.Width]))
            throw new ArgumentException(
                $"The depth map of a {canvas.Width}x{canvas.Height} picture is [1,1,{canvas.Height},{canvas.Width}], not "
                    + $"[{string.Join(',', depth.shape)}]."
            );
        return Canvas.Floats(depth);
    }
}
