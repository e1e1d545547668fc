using Diffusion.Faces;
using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Training;

/// <summary>The eyes of OSDFace's published recipe: DISTS's feature maps of VGG-16, and ArcFace's embedding as the identity.</summary>
/// <remarks>Both networks come from files of the user; none ships.</remarks>
/// <param name="features">VGG-16; taken over.</param>
/// <param name="recogniser">ArcFace; taken over.</param>
public sealed class PublishedPerception(DistsNetwork features, ArcFaceNetwork recogniser) : IFacePerception
{
    // ArcFace's crops lie in FFHQ's as its five points in the template's: the middle of the face, less the margin.
    private const double Left = 0.11,
        Top = 0.095,
        Extent = 0.78;

    /// <summary>Loads both.</summary>
    /// <param name="vgg">torchvision's VGG-16.</param>
    /// <param name="arcFace">A backbone of insightface's arcface_torch.</param>
    /// <exception cref="CheckpointException">A file is missing or of another network.</exception>
    public static PublishedPerception Load(string vgg, string arcFace)
    {
        DistsNetwork features = DistsNetwork.Load(vgg);
        try
        {
            return new(features, ArcFaceNetwork.Load(arcFace));
        }
        catch
        {
            features.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public SeenFaces See(Tensor faces)
    {
        long side = faces.shape[3];
        long extent = (long)Math.Round(Extent * side);
        Tensor crop = faces.narrow(2, (long)(Top * side), extent).narrow(3, (long)(Left * side), extent);
        Tensor seen = torch.nn.functional.interpolate(
            crop,
            size: [recogniser.Side, recogniser.Side],
            mode: torch.InterpolationMode.Bilinear,
            align_corners: false
        );
        return new SeenFaces(features.Forward(faces), recogniser.Forward(seen * 2 - 1));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        features.Dispose();
        recogniser.Dispose();
    }
}
