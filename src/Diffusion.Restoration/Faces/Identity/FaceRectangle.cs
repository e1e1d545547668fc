namespace Diffusion.Faces;

/// <summary>An upright rectangle in pixels; the unit of face-api's pipeline.</summary>
/// <param name="X">Left.</param>
/// <param name="Y">Top.</param>
/// <param name="Width">Width.</param>
/// <param name="Height">Height.</param>
public readonly record struct FaceRectangle(double X, double Y, double Width, double Height)
{
    private const double EyesToMouth = 0.45,
        Left = 0.5,
        Above = 0.43,
        Margin = 0.2;

    /// <summary>The whole pixels of the rectangle that lie in a picture, as face-api rounds them.</summary>
    public FaceRectangle Clip(int width, int height)
    {
        double x = Math.Max(X, 0),
            y = Math.Max(Y, 0);
        return new FaceRectangle(
            Math.Floor(x),
            Math.Floor(y),
            Math.Floor(Math.Min(X + Width - x, width - x)),
            Math.Floor(Math.Min(Y + Height - y, height - y))
        );
    }

    /// <summary>Whether anything of it is left.</summary>
    public bool IsEmpty => !(Width >= 1 && Height >= 1);

    /// <summary>That part of a picture [1,C,H,W], which the rectangle (of whole pixels) must lie in: a view.</summary>
    public Tensor Of(Tensor picture) => picture.narrow(2, (long)Y, (long)Height).narrow(3, (long)X, (long)Width);

    /// <summary>
    /// The square of whole pixels that the descriptor was trained on: eyes and mouth at fixed places, not turned.
    /// </summary>
    /// <param name="leftEye">Centre of the eye at the left.</param>
    /// <param name="rightEye">Centre of the other eye.</param>
    /// <param name="mouth">Centre of the mouth.</param>
    /// <param name="crop">Size of the rectangle that the landmarks were found in: the published bound on the size.</param>
    public static FaceRectangle ForDescriptor(
        (double X, double Y) leftEye,
        (double X, double Y) rightEye,
        (double X, double Y) mouth,
        (double Width, double Height) crop
    )
    {
        double ToMouth((double X, double Y) eye) => Math.Sqrt(Math.Pow(eye.X - mouth.X, 2) + Math.Pow(eye.Y - mouth.Y, 2));
        double size = Math.Floor((ToMouth(leftEye) + ToMouth(rightEye)) / 2 / EyesToMouth),
            x = Math.Floor(Math.Max(0, (leftEye.X + rightEye.X + mouth.X) / 3 - Left * size)),
            y = Math.Floor(Math.Max(0, (leftEye.Y + rightEye.Y + mouth.Y) / 3 - Above * size));
        return new FaceRectangle(x, y, Math.Min(size, crop.Width + x), Math.Min(size, crop.Height + y));
    }

    /// <summary>That square in an aligned face (<see cref="FaceTemplate"/>) of a size.</summary>
    public static FaceRectangle OfTemplate(int size)
    {
        IReadOnlyList<(double X, double Y)> five = FaceTemplate.Of(size);
        (double X, double Y) mouth = ((five[3].X + five[4].X) / 2, (five[3].Y + five[4].Y) / 2);
        return ForDescriptor(five[0], five[1], mouth, (size, size)).Clip(size, size);
    }

    /// <summary>The box of points, larger by a tenth on each side.</summary>
    public static FaceRectangle Around(IReadOnlyList<(double X, double Y)> points)
    {
        (double left, double top) = (points.Min(point => point.X), points.Min(point => point.Y));
        (double width, double height) = (points.Max(point => point.X) - left, points.Max(point => point.Y) - top);
        return new FaceRectangle(left - width * Margin / 2, top - height * Margin / 2, width * (1 + Margin), height * (1 + Margin));
    }
}
