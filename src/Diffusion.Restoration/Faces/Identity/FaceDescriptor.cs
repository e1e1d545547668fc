using Diffusion.Networks.FaceApi;
using Diffusion.Runtime;

namespace Diffusion.Faces;

/// <summary>Who a face looks like, as 128 numbers.</summary>
/// <remarks>
/// The distance is a measure, not a yes or no: between different photographs of one person its median is 0.37 and 95 % lie below
/// 0.50, between
/// different people the median is 0.83 and 0.5 % lie below 0.60. The network tells East Asian faces apart badly (distances down
/// to 0.40).
/// Report the distance, and how it changes. Immutable; may be used by several threads.
/// </remarks>
public sealed class FaceDescriptor : IDisposable
{
    private readonly FaceDescriptorNetwork _network;

    /// <summary>Descriptors by a network, which is taken over.</summary>
    public FaceDescriptor(FaceDescriptorNetwork network) => _network = network;

    /// <summary>The network that ships.</summary>
    public static FaceDescriptor Shipped() => new(FaceDescriptorNetwork.Load(FaceModels.Folder));

    /// <summary>The descriptor of the face that fills a crop (<see cref="FaceRectangle.ForDescriptor"/>).</summary>
    /// <param name="crop">[1,3,h,w] float32 on [0,1]; borrowed.</param>
    /// <returns>128 numbers, norm about 1.4.</returns>
    public IReadOnlyList<float> Describe(Tensor crop)
    {
        using ComputeScope scope = new();
        Tensor square = SquareInput.Square(crop, FaceDescriptorNetwork.InputSize, centered: true);
        return _network.Forward(SquareInput.Normalize(square, SquareInput.FaceMean)).data<float>().ToArray();
    }

    /// <summary>The Euclidean distance.</summary>
    public static double Distance(IReadOnlyList<float> a, IReadOnlyList<float> b) =>
        Math.Sqrt(a.Zip(b).Sum(pair => Math.Pow(pair.First - pair.Second, 2)));

    /// <inheritdoc/>
    public void Dispose() => _network.Dispose();
}
