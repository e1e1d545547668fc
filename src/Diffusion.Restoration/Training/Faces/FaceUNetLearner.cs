using System.Text.Json.Nodes;
using Diffusion.Checkpoints;
using Diffusion.Faces;
using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Training;

/// <summary>The small face restorer as its training sees it: all of it learns.</summary>
/// <param name="config">The network.</param>
/// <param name="policy">How it computes.</param>
public sealed class FaceUNetLearner(FaceUNetConfig config, ComputePolicy policy) : IFaceLearner
{
    private const double Commitment = 0.25,
        Idleness = 0.1;

    /// <summary>The network.</summary>
    public FaceUNet Network { get; } = new(config, policy);

    /// <inheritdoc/>
    public int Side => config.Side;

    /// <inheritdoc/>
    public IReadOnlyList<Parameter> Parameters => Network.Parameters;

    /// <inheritdoc/>
    public void Initialize(ulong seed) => Network.Initialize(seed);

    /// <inheritdoc/>
    public void Take(string path)
    {
        using FaceUNet known = FaceSmall.Load(path, ComputePolicy.Reference);
        Dictionary<string, Parameter> weights = known.Parameters.ToDictionary(parameter => parameter.Name);
        foreach (Parameter parameter in Parameters)
            if (weights.TryGetValue(parameter.Name, out Parameter? given) && given.Shape.SequenceEqual(parameter.Shape))
                parameter.Value = given.Value.to(Network.DtypeOf(parameter), copy: true);
    }

    /// <inheritdoc/>
    public (Tensor Restored, Tensor? OfCodes) Restore(Tensor degraded, Tensor clean, IReadOnlyList<bool> tokens, bool embedderLearns)
    {
        Tensor given = torch.tensor(tokens.Select(one => one ? 1f : 0).ToArray()).reshape(-1, 1, 1);
        Tensor codes;
        Tensor? ofCodes = null;
        if (embedderLearns)
            (codes, ofCodes) = Embed(degraded, clean);
        else
            using (torch.no_grad())
                codes = Network.Embedder.Quantize(Network.Embedder.Encode(degraded));
        return (Network.Forward(degraded, Network.Context(codes) * given), ofCodes);
    }

    /// <inheritdoc/>
    public Tensor OfCodes(Tensor degraded, Tensor clean) => Embed(degraded, clean).Loss;

    // Codes near to latents, what they say near to the face, and all codes in use. The gradient passes the choice of codes as if it were
    // none.
    private (Tensor Codes, Tensor Loss) Embed(Tensor degraded, Tensor clean)
    {
        FaceEmbedder embedder = Network.Embedder;
        Tensor z = embedder.Encode(degraded),
            q = embedder.Quantize(z),
            straight = z + (q - z).detach(),
            seen = embedder.Glance(clean);
        Tensor loss =
            (q - z.detach()).square().mean([1, 2, 3])
            + Commitment * (z - q.detach()).square().mean([1, 2, 3])
            + (embedder.Decode(straight) - (seen - seen.mean([2, 3], keepdim: true))).abs().mean([1, 2, 3]);
        return (straight, loss + Idleness * embedder.Idleness(z.detach()));
    }

    /// <inheritdoc/>
    public FaceView View(Tensor degraded)
    {
        Tensor nearest = Network.Embedder.Nearest(Network.Embedder.Encode(degraded)),
            context = Network.Context(Network.Embedder.Codes(nearest));
        return new FaceView(
            Network.Forward(degraded, context),
            Network.Forward(degraded, torch.zeros_like(context)),
            nearest.data<long>().ToArray()
        );
    }

    /// <inheritdoc/>
    public void Write(string folder, FaceTrainingPlan plan, TrainingState state, FaceValidation validation) =>
        TrainedFiles.Write(
            folder,
            plan.Name,
            state,
            plan.Faces,
            () => FaceCard.Of(plan, state, validation, FaceUNetFamily.Name, FaceUNetConfig.Keys.Write(config)),
            FaceCard.Ships
        );

    /// <inheritdoc/>
    public void Dispose() => Network.Dispose();
}
