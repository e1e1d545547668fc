using Diffusion.Runtime;

namespace Diffusion.Interactive;

/// <summary>Free pictures to try things on.</summary>
public static class Demo
{
    // Brightness, half axes, centre, angle in degrees: Shepp and Logan's head (1974) with the contrasts of Toft's thesis (1996).
    private static readonly (double Value, double A, double B, double X, double Y, double Angle)[] Head =
    [
        (1, 0.69, 0.92, 0, 0, 0),
        (-0.8, 0.6624, 0.874, 0, -0.0184, 0),
        (-0.2, 0.11, 0.31, 0.22, 0, -18),
        (-0.2, 0.16, 0.41, -0.22, 0, 18),
        (0.1, 0.21, 0.25, 0, 0.35, 0),
        (0.1, 0.046, 0.046, 0, 0.1, 0),
        (0.1, 0.046, 0.046, 0, -0.1, 0),
        (0.1, 0.046, 0.023, -0.08, -0.605, 0),
        (0.1, 0.023, 0.023, 0, -0.606, 0),
        (0.1, 0.023, 0.046, 0.06, -0.605, 0),
    ];

    /// <summary>The folder in which they lie, beside the library.</summary>
    /// <exception cref="DiffusionException">They are not installed.</exception>
    public static string Folder =>
        Path.Combine(AppContext.BaseDirectory, "demo") is var folder && Directory.Exists(folder)
            ? folder
            : throw new DiffusionException("The demo's photographs are not installed", folder, "Give a photograph of your own");

    /// <summary>The head phantom of Shepp and Logan, by which scanners are compared.</summary>
    /// <param name="side">Pixels.</param>
    /// <returns>[1,1,side,side] float32 on [0,1]; the caller owns it.</returns>
    public static Tensor SheppLogan(int side)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(side);
        using ComputeScope scope = new();
        Tensor x = torch.linspace(-1, 1, side, dtype: ScalarType.Float64),
            y = -x.unsqueeze(1);
        Tensor head = torch.zeros(side, side, dtype: ScalarType.Float64);
        foreach ((double value, double a, double b, double cx, double cy, double angle) in Head)
        {
            (double sin, double cos) = Math.SinCos(angle * Math.PI / 180);
            Tensor across = ((x - cx) * cos + (y - cy) * sin) / a,
                along = ((y - cy) * cos - (x - cx) * sin) / b;
            head += value * (across.square() + along.square()).le(1).to(ScalarType.Float64);
        }
        return scope.Return(head.clamp(0, 1).to(ScalarType.Float32).reshape(1, 1, side, side));
    }
}
