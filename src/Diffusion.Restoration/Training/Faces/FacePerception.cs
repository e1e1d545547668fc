using Diffusion.Faces;
using Diffusion.Networks.FaceApi;

namespace Diffusion.Training;

/// <summary>What trained eyes see in faces. Differentiable when gradients are on; used by several threads.</summary>
public interface IFacePerception : IDisposable
{
    /// <summary>Looks at faces.</summary>
    /// <param name="faces">[N,3,S,S] float32 on [0,1], aligned, borrowed.</param>
    /// <returns>The caller owns the tensors (they are in its dispose scope).</returns>
    SeenFaces See(Tensor faces);
}

/// <summary>What was seen.</summary>
/// <param name="Features">Feature maps [N,C,h,w], the finest first.</param>
/// <param name="Identity">[N,D]: near to each other for faces of one person.</param>
public sealed record SeenFaces(IReadOnlyList<Tensor> Features, Tensor Identity);

/// <summary>The descriptor that ships as eyes: its feature maps, and its result as the identity.</summary>
public sealed class DescriptorPerception : IFacePerception
{
    private static readonly HashSet<string> Stages = ["conv32_down", "conv32_3", "conv64_3", "conv128_2"];
    private readonly FaceDescriptorNetwork _network;

    /// <summary>Eyes by a network, which is taken over.</summary>
    public DescriptorPerception(FaceDescriptorNetwork network) => _network = network;

    /// <summary>The network that ships.</summary>
    public static DescriptorPerception Shipped() => new(FaceDescriptorNetwork.Load(FaceModels.Folder));

    /// <inheritdoc/>
    public SeenFaces See(Tensor faces)
    {
        int size = (int)faces.shape[3];
        Tensor crop = FaceRectangle.OfTemplate(size).Of(faces);
        const int Input = FaceDescriptorNetwork.InputSize;
        Tensor square = torch.nn.functional.interpolate(
            crop,
            size: [Input, Input],
            mode: torch.InterpolationMode.Bilinear,
            align_corners: false
        );
        List<Tensor> features = [];
        Tensor identity = _network.Forward(SquareInput.Normalize(square, SquareInput.FaceMean), (name, output) =>
        {
            if (Stages.Contains(name))
                features.Add(output.alias().MoveToOuterDisposeScope());
        });
        return new SeenFaces(features, identity);
    }

    /// <inheritdoc/>
    public void Dispose() => _network.Dispose();
}
