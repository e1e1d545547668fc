namespace Diffusion.Imaging;

/// <summary>How messages name tensors.</summary>
internal static class Shapes
{
    /// <summary><c>[1,3,4,4] Float32</c>.</summary>
    public static string Describe(Tensor tensor) => $"[{string.Join(",", tensor.shape)}] {tensor.dtype}";
}
