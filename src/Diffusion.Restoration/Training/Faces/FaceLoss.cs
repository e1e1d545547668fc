using System.Globalization;
using Diffusion.Imaging;

namespace Diffusion.Training;

/// <summary>
/// What a face restorer's training makes small: the recipe of OSDFace (Wang et al. 2025), error + edge-aware perceptual distance +
/// distance of identity, with what a small network needs beside.
/// </summary>
/// <remarks>Every weight may be 0, and what has none is not computed.</remarks>
public sealed record FaceLoss
{
    private const double HighBandFloor = 2e-5,
        IdentityFloor = 0.01;
    private const int Window = 16;

    /// <summary>
    /// The losses of OSDFace's recipe as far as they are published: mean squared error, DISTS of pictures and of edge maps, identity
    /// weighed by 0.1 (the weights are a third party's; the published code has none). Its adversary is not among them.
    /// </summary>
    public static FaceLoss Published { get; } =
        new()
        {
            LogError = false,
            EdgeMaps = true,
            Perceptual = 1,
            Edges = 0,
            Texture = 0,
            LogIdentity = false,
            Identity = 0.1,
            Adversary = 0,
        };

    /// <summary>Weight of the mean squared error.</summary>
    public double Error { get; init; } = 1;

    /// <summary>Whether the error counts by its logarithm, so that easy and hard faces have equal say.</summary>
    public bool LogError { get; init; } = true;

    /// <summary>Whether the perceptual distance is taken of Sobel's edge maps too.</summary>
    public bool EdgeMaps { get; init; }

    /// <summary>Weight of the perceptual distance (<see cref="StructureDistance"/>) of feature maps.</summary>
    public double Perceptual { get; init; } = 1.5;

    /// <summary>Weight of the error of gradients, relative to the gradients.</summary>
    public double Edges { get; init; } = 0.3;

    /// <summary>
    /// Weight of the difference of the logarithms of local energies above a quarter of a cycle a pixel: keeps the texture that the error
    /// alone would average away.
    /// </summary>
    public double Texture { get; init; } = 0.6;

    /// <summary>Weight of the distance of the identities.</summary>
    public double Identity { get; init; } = 1;

    /// <summary>
    /// Whether the identity counts by the logarithm of its squared distance, so that a face of which much is left keeps it; else by
    /// 1 - cos.
    /// </summary>
    public bool LogIdentity { get; init; } = true;

    /// <summary>Weight of adversarial guidance.</summary>
    public double Adversary { get; init; } = 0.5;

    /// <summary>Weight of the embedder's own losses: codes near to latents, and what they say near to the face.</summary>
    public double Codes { get; init; } = 1;

    /// <summary>Share of faces that are restored without tokens, so that the network can do without.</summary>
    public double TokenDropout { get; init; } = 0.1;

    /// <summary>The names of the weights.</summary>
    public static IReadOnlyList<string> Terms { get; } =
    ["error", "perceptual", "edges", "texture", "identity", "adversary", "codes", "token-dropout"];

    /// <summary>With other weights by name.</summary>
    /// <exception cref="ArgumentException">There is no such term, or its weight is no number that is 0 or above.</exception>
    public FaceLoss With(IReadOnlyDictionary<string, string> weights)
    {
        FaceLoss loss = this;
        foreach ((string term, string text) in weights)
        {
            if (!double.TryParse(text, CultureInfo.InvariantCulture, out double weight) || !(weight >= 0 && double.IsFinite(weight)))
                throw new ArgumentException($"The weight of {term} is \"{text}\". Give a number that is 0 or above.");
            loss = term switch
            {
                "error" => loss with { Error = weight },
                "perceptual" => loss with { Perceptual = weight },
                "edges" => loss with { Edges = weight },
                "texture" => loss with { Texture = weight },
                "identity" => loss with { Identity = weight },
                "adversary" => loss with { Adversary = weight },
                "codes" => loss with { Codes = weight },
                "token-dropout" => loss with { TokenDropout = weight },
                _ => throw new ArgumentException($"There is no term \"{term}\" of the loss. Take one of {string.Join(", ", Terms)}."),
            };
        }
        return loss;
    }

    /// <summary>Computes what the restored faces alone say of a restorer; the adversary comes on top.</summary>
    /// <param name="learner">A restorer whose parameters want gradients.</param>
    /// <param name="perception">The eyes; null where nothing that needs them has a weight.</param>
    /// <param name="degraded">[N,3,S,S] on [-1,1], borrowed.</param>
    /// <param name="clean">Likewise.</param>
    /// <param name="tokens">For each face whether it has tokens.</param>
    /// <param name="embedderLearns">Whether the embedder learns beside the UNet; else its tokens are taken as they are.</param>
    /// <returns>
    /// Loss and mean squared error of each face, [N], and the restored faces; the caller owns them (they are in its dispose scope).
    /// </returns>
    public (Tensor Loss, Tensor SquaredError, Tensor Restored) Of(
        IFaceLearner learner,
        IFacePerception? perception,
        Tensor degraded,
        Tensor clean,
        IReadOnlyList<bool> tokens,
        bool embedderLearns = true
    )
    {
        (Tensor restored, Tensor? ofCodes) = learner.Restore(degraded, clean, tokens, embedderLearns && Codes > 0);
        Tensor squared = (restored - clean).square().mean([1, 2, 3]);
        Tensor loss = Error * (LogError ? (squared + 1e-4).log() : squared);
        if (ofCodes is not null)
            loss = loss + Codes * ofCodes;
        if (Edges > 0)
            loss = loss + Edges * EdgeError(restored, clean);
        if (Texture > 0)
            loss = loss + Texture * (HighBand(restored) - HighBand(clean)).abs().mean([1, 2, 3]);
        if (perception is not null && (Perceptual > 0 || Identity > 0))
        {
            SeenFaces seen = perception.See((restored + 1) / 2),
                expected = Unchanging(() => perception.See((clean + 1) / 2));
            if (Perceptual > 0)
                loss = loss + Perceptual * StructureDistance.Between([restored, .. seen.Features], [clean, .. expected.Features]);
            if (Perceptual > 0 && EdgeMaps)
            {
                Tensor edges = Edged(restored),
                    truth = Edged(clean);
                SeenFaces known = Unchanging(() => perception.See(truth));
                loss =
                    loss + Perceptual * StructureDistance.Between([edges, .. perception.See(edges).Features], [truth, .. known.Features]);
            }
            if (Identity > 0)
                loss = loss + Identity * OfIdentity(seen.Identity, expected.Identity);
        }
        return (loss, squared, restored);
    }

    /// <summary>What the identity term makes small.</summary>
    /// <param name="seen">[N,D] of restored faces, borrowed.</param>
    /// <param name="expected">[N,D] of the originals, borrowed.</param>
    /// <returns>[N]; the caller owns it.</returns>
    public Tensor OfIdentity(Tensor seen, Tensor expected) =>
        LogIdentity
            ? ((seen - expected).square().sum(1) + IdentityFloor).log()
            : 1 - torch.nn.functional.cosine_similarity(seen, expected, dim: 1);

    private static SeenFaces Unchanging(Func<SeenFaces> see)
    {
        using (torch.no_grad())
            return see();
    }

    private static Tensor Edged(Tensor x) => SobelEdges.Magnitude(((x + 1) / 2).mean([1], keepdim: true)).expand(-1, 3, -1, -1);

    private static Tensor EdgeError(Tensor restored, Tensor clean)
    {
        Tensor difference = restored - clean;
        Tensor Steps(Tensor x) => Step(x, 2).abs().mean([1, 2, 3]) + Step(x, 3).abs().mean([1, 2, 3]);
        return Steps(difference) / (Steps(clean) + 1e-3);
    }

    private static Tensor Step(Tensor x, int dimension) =>
        x.narrow(dimension, 1, x.shape[dimension] - 1) - x.narrow(dimension, 0, x.shape[dimension] - 1);

    private static Tensor HighBand(Tensor x)
    {
        Tensor luma = x.mean([1], keepdim: true);
        Tensor low = torch.nn.functional.avg_pool2d(luma, 3, 1, 1, count_include_pad: false);
        Tensor energy = torch.nn.functional.avg_pool2d((luma - low).square(), Window, Window / 2);
        return (energy + HighBandFloor).log() / 2;
    }
}

/// <summary>
/// The distance of DISTS (Ding et al. 2020) with equal weights: how means (texture) and correlations (structure) of feature maps differ,
/// channel by channel.
/// </summary>
public static class StructureDistance
{
    private const double Floor = 1e-6;

    /// <summary>1 - the mean similarity over stages and channels.</summary>
    /// <param name="a">Feature maps [N,C,h,w], borrowed.</param>
    /// <param name="b">Of the same shapes.</param>
    /// <returns>[N]; the caller owns it.</returns>
    public static Tensor Between(IReadOnlyList<Tensor> a, IReadOnlyList<Tensor> b)
    {
        Tensor sum = Similarity(a[0], b[0]);
        for (int stage = 1; stage < a.Count; stage++)
            sum = sum + Similarity(a[stage], b[stage]);
        return 1 - sum / a.Count;
    }

    private static Tensor Similarity(Tensor x, Tensor y)
    {
        long[] pixels = [2, 3];
        Tensor meanX = x.mean(pixels),
            meanY = y.mean(pixels);
        Tensor varianceX = x.square().mean(pixels) - meanX.square(),
            varianceY = y.square().mean(pixels) - meanY.square(),
            covariance = (x * y).mean(pixels) - meanX * meanY;
        Tensor texture = (2 * meanX * meanY + Floor) / (meanX.square() + meanY.square() + Floor),
            structure = (2 * covariance + Floor) / (varianceX + varianceY + Floor);
        return ((texture + structure) / 2).mean([1]);
    }
}
