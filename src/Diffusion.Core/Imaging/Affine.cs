namespace Diffusion.Imaging;

/// <summary>An affine map of the plane: (x, y) to (A x + B y + C, D x + E y + F).</summary>
/// <remarks>Coordinates are continuous: the centre of pixel k lies at k + 0.5.</remarks>
public readonly record struct Affine(double A, double B, double C, double D, double E, double F)
{
    /// <summary>The map that changes nothing.</summary>
    public static Affine Identity => new(1, 0, 0, 0, 1, 0);

    /// <summary>
    /// A turn by <paramref name="angle"/> (radians, clockwise where y points down) and an enlargement about the origin, then a
    /// shift.
    /// </summary>
    public static Affine Similarity(double scale, double angle, double x, double y)
    {
        (double sin, double cos) = Math.SinCos(angle);
        return new Affine(scale * cos, -scale * sin, x, scale * sin, scale * cos, y);
    }

    /// <summary>By how much lengths grow: the square root of the growth of areas.</summary>
    public double Scale => Math.Sqrt(Math.Abs(A * E - B * D));

    /// <summary>The map back.</summary>
    /// <exception cref="InvalidOperationException">The map squeezes the plane onto a line.</exception>
    public Affine Inverse()
    {
        double determinant = A * E - B * D;
        if (determinant == 0 || !double.IsFinite(determinant))
            throw new InvalidOperationException($"{this} has no inverse.");
        (double a, double b, double d, double e) = (E / determinant, -B / determinant, -D / determinant, A / determinant);
        return new Affine(a, b, -(a * C + b * F), d, e, -(d * C + e * F));
    }

    /// <summary>Where a point goes.</summary>
    public (double X, double Y) Apply(double x, double y) => (A * x + B * y + C, D * x + E * y + F);

    /// <summary>This map, then <paramref name="next"/>.</summary>
    public Affine Then(Affine next)
    {
        (double c, double f) = next.Apply(C, F);
        return new Affine(next.A * A + next.B * D, next.A * B + next.B * E, c, next.D * A + next.E * D, next.D * B + next.E * E, f);
    }
}
