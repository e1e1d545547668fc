using Diffusion.Checkpoints;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Sampling;

namespace SamplePlugin;

/// <summary>
/// How files with weights of <see cref="LocalWiener"/> are told from others. With this class <c>restore --prior FILE --plugin DLL</c>,
/// <c>checkpoints inspect</c> and cards with <c>"kind": "local-wiener"</c> know the network.
/// </summary>
[Network("local-wiener")]
public sealed class LocalWienerFamily : NetworkFamily<LocalWienerConfig>
{
    /// <inheritdoc/>
    public override string Description => "a local Wiener filter";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Landmarks => ["mean.weight"];

    /// <inheritdoc/>
    public override Prediction? Prediction => Diffusion.Sampling.Prediction.X0;

    /// <inheritdoc/>
    public override ConfigKeys<LocalWienerConfig> Keys => LocalWienerConfig.Keys;

    /// <inheritdoc/>
    protected override LocalWienerConfig? ByShapes(ShapeTable shapes) =>
        shapes.Has("detail") && shapes.Size("mean.weight", 0) is { } channels && shapes.Size("mean.weight", 2) is { } window
            ? new LocalWienerConfig(channels, window)
            : null;

    /// <inheritdoc/>
    protected override Network Create(LocalWienerConfig config, ComputePolicy? policy) => new LocalWiener(config, policy);
}
