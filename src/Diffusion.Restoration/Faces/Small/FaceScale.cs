using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Faces;

/// <summary>Brings faces of any size to the one size that a network restores, and its result back.</summary>
/// <remarks>
/// What a larger face has beyond the network's resolution the network never sees. It is kept where it stands above its own noise (Wiener's
/// gain, with the noise from the median as Donoho and Johnstone 1994): a sharp face stays sharp, and the noise of a blurred one goes.
/// </remarks>
internal static class FaceScale
{
    private const int Window = 9;
    private const double MedianOfNormal = 0.6745;

    /// <summary>Restores faces.</summary>
    /// <param name="network">The network.</param>
    /// <param name="faces">[N,3,S,S] float32 on [0,1], borrowed.</param>
    /// <param name="detail">Share of finer detail that is kept.</param>
    /// <param name="tokens">Whether the UNet looks at the tokens.</param>
    /// <returns>[N,3,S',S'], S' the larger one of S and the network's side, not clipped; the caller owns it.</returns>
    public static Tensor Restored(FaceUNet network, Tensor faces, double detail, bool tokens)
    {
        int side = network.Config.Side;
        long given = faces.shape[3];
        Tensor seen = ToSide(faces, side) * 2 - 1;
        Tensor restored = tokens ? network.Restore(seen) : Blind(network, seen);
        restored = (restored + 1) / 2;
        if (given <= side)
            return restored;
        Tensor large = ToSide(restored, given);
        return detail == 0 ? large : large + detail * Significant(faces - ToSide((seen + 1) / 2, given));
    }

    private static Tensor Blind(FaceUNet network, Tensor seen) =>
        network.Forward(seen, torch.zeros([seen.shape[0], 1, network.Config.Context], device: seen.device));

    private static Tensor ToSide(Tensor x, long side) =>
        x.shape[3] == side
            ? x
            : torch.nn.functional.interpolate(
                x,
                size: [side, side],
                mode: torch.InterpolationMode.Bicubic,
                align_corners: false,
                antialias: x.shape[3] > side
            );

    private static Tensor Significant(Tensor finer)
    {
        Tensor noise = Medians(finer.abs().flatten(1)).reshape(-1, 1, 1, 1) / MedianOfNormal;
        Tensor energy = torch.nn.functional.avg_pool2d(
            finer.square().mean([1], keepdim: true),
            Window,
            1,
            Window / 2,
            count_include_pad: false
        );
        return finer * (1 - noise.square() / (energy + 1e-12)).clamp(0, 1);
    }

    private static Tensor Medians(Tensor rows) => torch.stack([.. Enumerable.Range(0, (int)rows.shape[0]).Select(n => rows[n].median())]);
}
