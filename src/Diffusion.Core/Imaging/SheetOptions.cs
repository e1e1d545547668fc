namespace Diffusion.Imaging;

/// <summary>One picture of a sheet.</summary>
/// <param name="Caption">One or more lines of text, separated by line breaks.</param>
/// <param name="Pixels">
/// [1,C,H,W] or [C,H,W] on [0,1], C = 3 or 1; borrowed. Smaller pictures (low-resolution measurements) are enlarged to the height of the
/// largest.
/// </param>
public sealed record SheetPanel(string Caption, Tensor Pixels);

/// <summary>A rectangle in the pixels of the sheet's largest panel.</summary>
/// <param name="X">Left.</param>
/// <param name="Y">Top.</param>
/// <param name="Width">Width.</param>
/// <param name="Height">Height.</param>
public readonly record struct SheetCrop(int X, int Y, int Width, int Height);

/// <summary>How a sheet looks.</summary>
public sealed record SheetOptions
{
    /// <summary>One row, no detail.</summary>
    public static SheetOptions Default { get; } = new();

    /// <summary>A second row that shows this part of every panel enlarged to the panel's width.</summary>
    public SheetCrop? Crop { get; init; }

    /// <summary>Font size of the captions in pixels; null grows with the panels (15 up to 450 pixels of width).</summary>
    public int? FontSize
    {
        get;
        init =>
            field = value is null or (>= 6 and <= 200)
                ? value
                : throw new ArgumentException($"The font size must be 6 to 200 pixels, not {value}.");
    }

    /// <summary>Pixels around and between the panels.</summary>
    public int Margin
    {
        get;
        init => field = value is >= 0 and <= 500 ? value : throw new ArgumentException($"The margin must be 0 to 500 pixels, not {value}.");
    } = 12;

    /// <summary>Panels in a row; null puts all into one.</summary>
    public int? Columns
    {
        get;
        init => field = value is null or >= 1 ? value : throw new ArgumentException($"A sheet needs at least one column, not {value}.");
    }
}
