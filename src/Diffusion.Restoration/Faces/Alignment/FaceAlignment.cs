using Diffusion.Imaging;
using Diffusion.Runtime;

namespace Diffusion.Faces;

/// <summary>One face's way into a square where eyes, nose and mouth have fixed places, and back into the photograph.</summary>
/// <remarks>
/// <code>
/// FaceAlignment alignment = FaceAlignment.By(face.Landmarks.Five);
/// using Tensor crop = alignment.Crop(photo.Pixels);
/// using Tensor result = alignment.Paste(photo.Pixels, Restore(crop));
/// </code>
/// Pixels that the feathered mask does not reach stay as they were, to the bit.
/// </remarks>
/// <param name="ToSquare">From the photograph to the square; the centre of pixel k lies at k + 0.5 in both.</param>
/// <param name="Size">Side of the square.</param>
public sealed record FaceAlignment(Affine ToSquare, int Size)
{
    private const int Margin = 8;
    private static readonly float[] BorderGray = [132 / 255f, 133 / 255f, 135 / 255f];

    /// <summary>The alignment of five points, robustly: one or two wrong points do not spoil it.</summary>
    /// <param name="five">Eye at the left, eye at the right, tip of the nose, corners of the mouth at the left and right; pixels.</param>
    /// <param name="size">Side of the square.</param>
    public static FaceAlignment By(IReadOnlyList<(double X, double Y)> five, int size = FaceTemplate.Size) =>
        new(SimilarityFit.Robust(five, FaceTemplate.Of(size)), size);

    /// <summary>How many pixels of the square come to one of the photograph: above 1 the face is small and gets enlarged.</summary>
    public double Enlargement => ToSquare.Scale;

    /// <summary>The face in its square, [1,C,Size,Size]; beyond the photograph the published gray. The caller owns it.</summary>
    /// <param name="picture">[1,C,H,W] float32 on [0,1], C = 3 or 1; borrowed.</param>
    /// <remarks>Faces larger than the square are averaged down first, so that nothing aliases.</remarks>
    public Tensor Crop(Tensor picture)
    {
        using ComputeScope scope = new();
        Affine back = ToSquare.Inverse();
        int reduction = Math.Max(1, (int)Math.Floor(back.Scale + 1e-9));
        float[] gray = picture.shape[1] == 3 ? BorderGray : [BorderGray[1]];
        if (reduction == 1)
            return scope.Return(Warp.Bilinear(picture, back, Size, Size, WarpEdge.Blend, gray));
        Affine fine = Affine.Similarity(1.0 / reduction, 0, 0, 0).Then(back);
        Tensor large = Warp.Bilinear(picture, fine, Size * reduction, Size * reduction, WarpEdge.Blend, gray);
        return scope.Return(torch.nn.functional.avg_pool2d(large, reduction, reduction));
    }

    /// <summary>Lays a restored square into a photograph.</summary>
    /// <param name="picture">[1,C,H,W] float32 on [0,1]: the photograph, enlarged by <paramref name="factor"/>; borrowed.</param>
    /// <param name="square">[1,C,Size,Size] float32 on [0,1]; borrowed.</param>
    /// <param name="factor">By what the photograph was enlarged after its points were found.</param>
    /// <param name="asPublished">Darkens the outermost pixels of the feather, as the published code does.</param>
    /// <returns>A new picture; the caller owns it.</returns>
    /// <exception cref="ArgumentException">The square has another size or other channels.</exception>
    public Tensor Paste(Tensor picture, Tensor square, int factor = 1, bool asPublished = false)
    {
        using ComputeScope scope = new();
        Tensor result = picture.clone();
        PasteInto(result, square, factor, asPublished);
        return scope.Return(result);
    }

    /// <summary>As <see cref="Paste"/>, within the photograph itself: a large one is not copied.</summary>
    /// <param name="picture">[1,C,H,W] float32 on [0,1]; borrowed and changed.</param>
    /// <param name="square">[1,C,Size,Size] float32 on [0,1]; borrowed.</param>
    /// <param name="factor">By what the photograph was enlarged after its points were found.</param>
    /// <param name="asPublished">Darkens the outermost pixels of the feather, as the published code does.</param>
    /// <exception cref="ArgumentException">The square has another size or other channels.</exception>
    public void PasteInto(Tensor picture, Tensor square, int factor = 1, bool asPublished = false)
    {
        if (!square.shape.SequenceEqual([1, picture.shape[1], Size, Size]))
            throw new ArgumentException($"The face is [{string.Join(",", square.shape)}] instead of [1,{picture.shape[1]},{Size},{Size}].");
        using ComputeScope scope = new();
        Affine toPhoto = ToSquare.Inverse().Then(Affine.Similarity(factor, 0, 0, 0));
        if (Reach(toPhoto, (int)picture.shape[2], (int)picture.shape[3]) is not var (top, left, height, width))
            return;
        Tensor region = picture.narrow(2, top, height).narrow(3, left, width);
        Affine toSquare = new Affine(1, 0, left, 0, 1, top).Then(toPhoto.Inverse());
        Tensor face = Warp.Bilinear(square, toSquare, height, width, WarpEdge.Replicate);
        Tensor ones = Warp.Bilinear(torch.ones(1, 1, Size, Size), toSquare, height, width, WarpEdge.Blend);
        (Tensor eroded, Tensor soft) = FeatheredMask.Of(ones, factor);
        // The published weights of face and photograph do not add up to one where the mask ends: a dark rim.
        Tensor weight = soft * eroded,
            taken = asPublished ? soft : weight;
        region.copy_(torch.where(taken.gt(0), weight * face + (1 - taken) * region, region));
    }

    /// <summary>The part of the photograph that the square covers; null: none of it.</summary>
    private (int Top, int Left, int Height, int Width)? Reach(Affine toPhoto, int height, int width)
    {
        (double X, double Y)[] corners = [toPhoto.Apply(0, 0), toPhoto.Apply(Size, 0), toPhoto.Apply(0, Size), toPhoto.Apply(Size, Size)];
        int left = (int)Math.Clamp(Math.Floor(corners.Min(c => c.X)) - Margin, 0, width),
            right = (int)Math.Clamp(Math.Ceiling(corners.Max(c => c.X)) + Margin, 0, width),
            top = (int)Math.Clamp(Math.Floor(corners.Min(c => c.Y)) - Margin, 0, height),
            bottom = (int)Math.Clamp(Math.Ceiling(corners.Max(c => c.Y)) + Margin, 0, height);
        return right > left && bottom > top ? (top, left, bottom - top, right - left) : null;
    }
}
