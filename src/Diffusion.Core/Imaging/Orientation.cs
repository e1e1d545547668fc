namespace Diffusion.Imaging;

/// <summary>The eight EXIF orientations.</summary>
internal static class Orientation
{
    /// <summary>Whether height and width change places.</summary>
    public static bool Transposes(int exif) => exif is >= 5 and <= 8;

    /// <summary>
    /// Turns stored pixels [..,H,W] upright. The result is contiguous; it is the input itself when nothing is to be done.
    /// </summary>
    public static Tensor Upright(Tensor stored, int exif)
    {
        const int Rows = -2,
            Columns = -1;
        if (exif is < 2 or > 8)
            return stored;
        using Tensor view = exif switch
        {
            2 => stored.flip(Columns),
            3 => stored.flip(Rows, Columns),
            4 => stored.flip(Rows),
            5 => stored.transpose(Rows, Columns),
            6 => stored.transpose(Rows, Columns).flip(Columns),
            7 => stored.transpose(Rows, Columns).flip(Rows, Columns),
            _ => stored.transpose(Rows, Columns).flip(Rows),
        };
        return view.contiguous();
    }

    /// <summary>Where the upright pixel (x, y) lies in a stored picture of <paramref name="width"/> x <paramref name="height"/>.</summary>
    public static (int X, int Y) Stored(int x, int y, int width, int height, int exif) =>
        exif switch
        {
            2 => (width - 1 - x, y),
            3 => (width - 1 - x, height - 1 - y),
            4 => (x, height - 1 - y),
            5 => (y, x),
            6 => (y, height - 1 - x),
            7 => (width - 1 - y, height - 1 - x),
            8 => (width - 1 - y, x),
            _ => (x, y),
        };
}
