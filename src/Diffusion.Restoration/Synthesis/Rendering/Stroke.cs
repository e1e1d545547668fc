namespace Diffusion.Synthesis.Rendering;

/// <summary>A line of light with a Gaussian cross-section, added to a plane; narrower than a pixel it becomes fainter instead.</summary>
/// <param name="X">Its middle.</param>
/// <param name="Y">Its middle.</param>
/// <param name="DX">Its direction, a unit vector.</param>
/// <param name="DY">Its direction, a unit vector.</param>
/// <param name="Length">In pixels.</param>
/// <param name="Width">In pixels, two standard deviations.</param>
/// <param name="Density">In the middle of the line.</param>
internal readonly record struct Stroke(double X, double Y, double DX, double DY, double Length, double Width, double Density)
{
    private const double Narrowest = 1.3;

    /// <summary>The density along the line, 0..1.</summary>
    public Func<double, double> Profile { get; init; } = static _ => 1;

    /// <summary>Adds it to a plane.</summary>
    public void Draw(float[] plane, int height, int width)
    {
        double shown = Math.Max(Width, Narrowest),
            sigma = shown / 2,
            density = Density * Width / shown;
        double reach = 2.6 * sigma,
            half = Length / 2 + reach;
        int top = Math.Max(0, (int)Math.Floor(Y - Math.Abs(DY) * half - reach)),
            bottom = Math.Min(height - 1, (int)Math.Ceiling(Y + Math.Abs(DY) * half + reach));
        for (int row = top; row <= bottom; row++)
        {
            // Where the row crosses the line: mostly upright lines touch few pixels of a row.
            double dy = row - Y,
                centre = Math.Abs(DY) > 0.2 ? X + dy * DX / DY : X,
                span = Math.Abs(DY) > 0.2 ? reach / Math.Abs(DY) + 1 : half + reach;
            int left = Math.Max(0, (int)Math.Floor(centre - span)),
                right = Math.Min(width - 1, (int)Math.Ceiling(centre + span));
            for (int column = left; column <= right; column++)
            {
                double dx = column - X,
                    along = dx * DX + dy * DY,
                    across = dx * DY - dy * DX;
                double beyond = Math.Max(0, Math.Abs(along) - Length / 2),
                    squares = (across * across + beyond * beyond) / (sigma * sigma);
                if (squares > 7)
                    continue;
                double t = Length <= 0 ? 0.5 : Math.Clamp(along / Length + 0.5, 0, 1);
                plane[row * width + column] += (float)(density * Profile(t) * Math.Exp(-0.5 * squares));
            }
        }
    }
}
