using Diffusion.Imaging;
using Diffusion.Runtime;

namespace Diffusion.Networks.FaceApi;

/// <summary>How face-api brings a picture to a network's square input.</summary>
public static class SquareInput
{
    /// <summary>Mean colour that the detector subtracts, 0..255.</summary>
    public static IReadOnlyList<double> DetectorMean { get; } = [117.001, 114.697, 97.404];

    /// <summary>Mean colour that landmarks and descriptor subtract, 0..255.</summary>
    public static IReadOnlyList<double> FaceMean { get; } = [122.782, 117.001, 104.298];

    /// <summary>
    /// Pads a picture with black to a square, then scales it bilinearly without anti-aliasing, corner pixel to corner pixel.
    /// </summary>
    /// <param name="picture">[1,3,H,W] float32; borrowed.</param>
    /// <param name="size">Side of the result.</param>
    /// <param name="centered">Pads both sides (the larger half behind) instead of right and bottom only.</param>
    /// <returns>[1,3,size,size] in the range of the picture; the caller owns it.</returns>
    public static Tensor Square(Tensor picture, int size, bool centered)
    {
        using ComputeScope scope = new();
        (int height, int width) = ((int)picture.shape[2], (int)picture.shape[3]);
        int side = Math.Max(height, width);
        (int left, int right) = Margins(side - width, centered);
        (int top, int bottom) = Margins(side - height, centered);
        Tensor square = torch.nn.functional.pad(picture, [left, right, top, bottom]);
        // Output pixel i reads position i * side / size of the pixel grid, whose pixel 0 has its centre at 0.5.
        double step = (double)side / size,
            shift = 0.5 - 0.5 * step;
        return scope.Return(Warp.Bilinear(square, Affine.Similarity(step, 0, shift, shift), size, size));
    }

    /// <summary>
    /// (255 x - mean) / 255 per channel, the scale that all networks were trained on. The caller owns the result.
    /// </summary>
    /// <param name="square">[N,3,S,S] on [0,1]; borrowed.</param>
    /// <param name="mean">Three numbers on 0..255.</param>
    public static Tensor Normalize(Tensor square, IReadOnlyList<double> mean)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor shift = torch.tensor(mean.Select(value => (float)(value / 255)).ToArray(), device: square.device).reshape(1, 3, 1, 1);
        return (square - shift).MoveToOuterDisposeScope();
    }

    private static (int Before, int After) Margins(int missing, bool centered) =>
        centered ? (missing - (missing + 1) / 2, (missing + 1) / 2) : (0, missing);
}
