using Diffusion.Runtime;

namespace Diffusion.Faces;

/// <summary>How far two aligned faces are from being one person: the distance of their descriptors; 0 is identity.</summary>
/// <remarks>
/// Both faces are cut where the template has eyes and mouth, so that the measure does not depend on landmarks found in a degraded picture.
/// <see cref="FaceDescriptor"/> says what the numbers mean. Immutable; may be used by several threads.
/// </remarks>
public sealed class IdentityDistance : IDisposable
{
    private readonly FaceDescriptor _descriptor;

    /// <summary>A measure; takes over the descriptor.</summary>
    public IdentityDistance(FaceDescriptor descriptor) => _descriptor = descriptor;

    /// <summary>The measure with the network that ships.</summary>
    public static IdentityDistance Shipped() => new(FaceDescriptor.Shipped());

    /// <summary>The distance of two aligned faces.</summary>
    /// <param name="a">[1,C,S,S] float32 on [0,1], aligned to <see cref="FaceTemplate"/>, C = 3 or 1; borrowed.</param>
    /// <param name="b">Likewise; sizes may differ.</param>
    public double Between(Tensor a, Tensor b) => FaceDescriptor.Distance(Describe(a), Describe(b));

    /// <summary>The descriptor of an aligned face, to compare it with many.</summary>
    /// <param name="face">[1,C,S,S] float32 on [0,1]; borrowed.</param>
    /// <exception cref="ArgumentException">Another shape.</exception>
    public IReadOnlyList<float> Describe(Tensor face)
    {
        if (face.dim() != 4 || face.shape[0] != 1 || face.shape[2] != face.shape[3] || face.shape[1] is not (1 or 3))
            throw new ArgumentException(
                $"An aligned face is [1,C,S,S] with C = 3 or 1, not [{string.Join(",", face.shape)}].",
                nameof(face)
            );
        using ComputeScope scope = new();
        FaceRectangle rectangle = FaceRectangle.OfTemplate((int)face.shape[2]);
        return _descriptor.Describe(rectangle.Of(face.expand(1, 3, -1, -1)));
    }

    /// <inheritdoc/>
    public void Dispose() => _descriptor.Dispose();
}
