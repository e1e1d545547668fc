namespace Diffusion.Imaging;

/// <summary>The edge maps of the edge-aware DISTS of Wang et al., "OSDFace" (2025).</summary>
public static class SobelEdges
{
    private const double Epsilon = 1e-6;

    /// <summary>sqrt(g_x^2 + g_y^2 + 1e-6) by Sobel's 3x3 filters, with zeros around the picture.</summary>
    /// <param name="gray">[N,1,H,W], borrowed.</param>
    /// <returns>[N,1,H,W]; the caller owns it.</returns>
    public static Tensor Magnitude(Tensor gray)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor across = torch.tensor(new[] { -1f, 0, 1 }, device: gray.device),
            along = torch.tensor(new[] { 1f, 2, 1 }, device: gray.device);
        Tensor kernels = torch.stack([along.unsqueeze(1) * across, across.unsqueeze(1) * along]).unsqueeze(1).to(gray.dtype);
        Tensor gradients = torch.nn.functional.conv2d(gray, kernels, padding: [1, 1]);
        return (gradients.square().sum(1, keepdim: true) + Epsilon).sqrt().MoveToOuterDisposeScope();
    }
}
