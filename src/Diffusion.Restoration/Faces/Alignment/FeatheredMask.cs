using Diffusion.Imaging;
using Diffusion.Runtime;

namespace Diffusion.Faces;

/// <summary>The soft edge with which a face is laid into a photograph (facexlib's, with a square of ones as mask).</summary>
/// <remarks>
/// The square's warped mask is eroded a little, then by a tenth of its side, and blurred over as much: the face fades out within its own
/// square.
/// </remarks>
internal static class FeatheredMask
{
    /// <summary>A mask.</summary>
    /// <param name="square">[1,1,h,w]: 1 inside the warped square, 0 outside; borrowed.</param>
    /// <param name="factor">Enlargement of the photograph.</param>
    /// <returns>Eroded [1,1,h,w] and soft [1,1,h,w], both on [0,1]; the caller owns them.</returns>
    public static (Tensor Eroded, Tensor Soft) Of(Tensor square, int factor)
    {
        using ComputeScope scope = new();
        Tensor eroded = Erode(square, 2 * factor);
        int edge = (int)Math.Sqrt(eroded.sum().item<float>()) / 20;
        Tensor soft = edge == 0 ? eroded.clone() : Blur(Erode(eroded, 2 * edge), 2 * edge + 1);
        return (scope.Return(eroded), scope.Return(soft));
    }

    /// <summary>The minimum over a square of even side n, offsets -n/2 to n/2-1; pixels outside do not count.</summary>
    private static Tensor Erode(Tensor mask, int n)
    {
        Tensor padded = torch.nn.functional.pad(-mask, [n / 2, n / 2 - 1, n / 2, n / 2 - 1], value: double.NegativeInfinity);
        Tensor rows = torch.nn.functional.max_pool2d(padded, [n, 1], [1, 1]);
        return -torch.nn.functional.max_pool2d(rows, [1, n], [1, 1]);
    }

    /// <summary>OpenCV's Gaussian blur with the sigma that belongs to the size; edges are reflected.</summary>
    private static Tensor Blur(Tensor mask, int size)
    {
        double sigma = 0.3 * ((size - 1) * 0.5 - 1) + 0.8;
        double[] weights = [.. Enumerable.Range(0, size).Select(k => Math.Exp(-Math.Pow(k - size / 2, 2) / (2 * sigma * sigma)))];
        double sum = weights.Sum();
        Taps Along(long side)
        {
            int[] indices = new int[side * size];
            double[] taps = new double[side * size];
            for (int i = 0; i < indices.Length; i++)
            {
                indices[i] = EdgeMode.Reflect.Resolve(i / size + i % size - size / 2, (int)side);
                taps[i] = weights[i % size] / sum;
            }
            return new Taps((int)side, (int)side, indices, taps);
        }
        return Along(mask.shape[3]).Apply(Along(mask.shape[2]).Apply(mask, 2), 3);
    }
}
