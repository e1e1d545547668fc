namespace Diffusion.Imaging;

/// <summary>CIE L*a*b* with the white of D50, as TIFF and ICC keep it, to sRGB.</summary>
internal static class CieLab
{
    // Linear sRGB from XYZ under D50 (Bradford adaptation).
    private static readonly double[,] FromXyz =
    {
        { 3.1338561, -1.6168667, -0.4906146 },
        { -0.9787684, 1.9161415, 0.0334540 },
        { 0.0719453, -0.2289914, 1.4052427 },
    };

    private static readonly double[] White = [0.96422, 1, 0.82521];

    /// <summary>sRGB on [0,1], clipped.</summary>
    /// <param name="lab">[1,3,H,W]: L* on [0,100], a* and b*. Borrowed.</param>
    /// <returns>[1,3,H,W]; the caller owns it.</returns>
    public static Tensor ToSrgb(Tensor lab)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor fy = (lab.narrow(1, 0, 1) + 16) / 116;
        Tensor[] xyz =
        [
            Inverse(fy + lab.narrow(1, 1, 1) / 500) * White[0],
            Inverse(fy) * White[1],
            Inverse(fy - lab.narrow(1, 2, 1) / 200) * White[2],
        ];
        Tensor[] linear = [.. Enumerable.Range(0, 3).Select(c => xyz[0] * FromXyz[c, 0] + xyz[1] * FromXyz[c, 1] + xyz[2] * FromXyz[c, 2])];
        return Color.ToSrgb(torch.cat(linear, 1)).clamp(0, 1).MoveToOuterDisposeScope();
    }

    private static Tensor Inverse(Tensor f)
    {
        const double Knee = 6.0 / 29;
        return torch.where(f.gt(Knee), f.pow(3), (f - 4.0 / 29) * (3 * Knee * Knee));
    }
}
