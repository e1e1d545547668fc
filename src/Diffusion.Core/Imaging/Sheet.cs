using Diffusion.Runtime;

namespace Diffusion.Imaging;

/// <summary>Before/after pictures: labelled panels side by side, optionally with an enlarged detail below each.</summary>
/// <remarks>
/// Panels keep their pixels (no interpolation) unless they must be enlarged to the common height: by whole factors pixels are repeated,
/// otherwise bicubic.
/// </remarks>
public static class Sheet
{
    private const float Ink = 0.1f,
        Paper = 1;
    private const int SmallestPanel = 128,
        SmallestFont = 15,
        WidthPerFontSize = 30,
        LargestFont = 100;

    /// <summary>Draws a sheet and writes it.</summary>
    /// <param name="path">The picture file.</param>
    /// <param name="panels">At least one.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ImageException">The file cannot be written.</exception>
    public static void Write(string path, IReadOnlyList<SheetPanel> panels, SheetOptions? options = null)
    {
        using Tensor sheet = Draw(panels, options);
        ImageFile.Write(path, sheet);
    }

    /// <summary>Draws a sheet.</summary>
    /// <param name="panels">At least one; their tensors are borrowed.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <returns>[1,3,H,W] float32 on [0,1]; the caller owns it.</returns>
    /// <exception cref="ArgumentException">No panels, a tensor that is no picture, or a crop beyond the picture.</exception>
    public static Tensor Draw(IReadOnlyList<SheetPanel> panels, SheetOptions? options = null)
    {
        options ??= SheetOptions.Default;
        if (panels.Count == 0)
            throw new ArgumentException("A sheet needs at least one panel.", nameof(panels));
        using ComputeScope scope = new();
        Tensor[] pictures = [.. panels.Select(panel => AsRgb(panel.Pixels))];
        long height = pictures.Max(picture => picture.shape[1]),
            width = pictures.First(picture => picture.shape[1] == height).shape[2];
        if (options.Crop is { } crop)
            CheckCrop(crop, width, height);
        // Tiny pictures are shown larger, all by the same whole factor.
        long factor = Math.Max(1, (SmallestPanel + height - 1) / height);
        int lines = panels.Max(panel => Lines(panel.Caption).Length);

        int font = options.FontSize ?? (int)Math.Clamp(width * factor / WidthPerFontSize, SmallestFont, LargestFont);
        Tensor[] cells = [.. panels.Select((panel, i) => Cell(pictures[i], panel.Caption, lines, font, height, factor, options))];
        int columns = options.Columns ?? cells.Length;
        Tensor[] rows = [.. cells.Chunk(columns).Select(row => Join(row, dim: 2, options.Margin))];
        return scope.Return(
            torch
                .nn.functional.pad(
                    Join(rows, dim: 1, options.Margin),
                    [options.Margin, options.Margin, options.Margin, options.Margin],
                    value: Paper
                )
                .unsqueeze(0)
        );
    }

    /// <summary>Caption, picture and detail of one panel, [3,h,w].</summary>
    private static Tensor Cell(Tensor picture, string caption, int lines, int font, long commonHeight, long factor, SheetOptions options)
    {
        Tensor shown = Enlarge(
            picture,
            commonHeight * factor,
            (long)Math.Round((double)picture.shape[2] * commonHeight / picture.shape[1]) * factor
        );
        int width = (int)shown.shape[2];
        List<Tensor> parts = [Caption(Lines(caption), lines, width, font), shown];
        if (options.Crop is { } crop)
        {
            double own = (double)picture.shape[1] / commonHeight;
            int Scaled(int value, long limit) => (int)Math.Clamp(Math.Round(value * own), 0, limit);
            int x = Scaled(crop.X, picture.shape[2] - 1),
                y = Scaled(crop.Y, picture.shape[1] - 1);
            int w = Math.Max(1, Scaled(crop.Width, picture.shape[2] - x)),
                h = Math.Max(1, Scaled(crop.Height, picture.shape[1] - y));
            Tensor detail = picture.narrow(1, y, h).narrow(2, x, w);
            parts.Add(Enlarge(detail, Math.Max(1, (long)Math.Round((double)width * crop.Height / crop.Width)), width));
        }
        return Join([.. parts], dim: 1, gap: Math.Max(2, options.Margin / 2), skipFirstGap: true);
    }

    private static Tensor Caption(string[] lines, int count, int width, int fontSize)
    {
        int lineHeight = (int)Math.Round(fontSize * Lettering.LineHeight);
        Tensor block = torch.full([3, (long)lineHeight * count, width], Paper);
        for (int i = 0; i < lines.Length; i++)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            Tensor cover = Lettering.Draw(lines[i], fontSize, width);
            Tensor place = block.narrow(1, i * lineHeight, lineHeight).narrow(2, 0, cover.shape[1]);
            place.copy_(place + cover * (Ink - place));
        }
        return block;
    }

    /// <summary>Stacks pictures with white gaps; narrower ones are filled up with white, right or below.</summary>
    private static Tensor Join(Tensor[] pictures, int dim, int gap, bool skipFirstGap = false)
    {
        int other = dim == 1 ? 2 : 1;
        long size = pictures.Max(picture => picture.shape[other]);
        List<Tensor> parts = [];
        for (int i = 0; i < pictures.Length; i++)
        {
            long missing = size - pictures[i].shape[other];
            if (i > 0 && gap > 0 && !(skipFirstGap && i == 1))
                parts.Add(torch.full(dim == 1 ? [3, gap, size] : [3, size, gap], Paper));
            parts.Add(
                missing == 0
                    ? pictures[i]
                    : torch.nn.functional.pad(pictures[i], other == 2 ? [0, missing] : [0, 0, 0, missing], value: Paper)
            );
        }
        return torch.cat(parts, dim);
    }

    private static Tensor Enlarge(Tensor picture, long height, long width)
    {
        if (picture.shape[1] == height && picture.shape[2] == width)
            return picture;
        bool whole = height % picture.shape[1] == 0 && width % picture.shape[2] == 0;
        return whole
            ? picture.repeat_interleave(height / picture.shape[1], 1).repeat_interleave(width / picture.shape[2], 2)
            : Resize.ToSize(picture, (int)height, (int)width).clamp(0, 1);
    }

    private static Tensor AsRgb(Tensor pixels)
    {
        if (
            pixels.dim() is not (3 or 4)
            || (pixels.dim() == 4 && pixels.shape[0] != 1)
            || pixels.shape[^3] is not (1 or 3)
            || pixels.numel() == 0
        )
            throw new ArgumentException($"A panel is [1,C,H,W] or [C,H,W] with C = 1 or 3, not {Shapes.Describe(pixels)}.", nameof(pixels));
        return Color
            .ToRgb(pixels.detach().cpu().to(ScalarType.Float32).reshape(pixels.shape[^3], pixels.shape[^2], pixels.shape[^1]))
            .nan_to_num()
            .clamp(0, 1);
    }

    private static void CheckCrop(SheetCrop crop, long width, long height)
    {
        if (
            crop.X < 0
            || crop.Y < 0
            || crop.Width < 1
            || crop.Height < 1
            || crop.X + (long)crop.Width > width
            || crop.Y + (long)crop.Height > height
        )
            throw new ArgumentException(
                $"The detail {crop.Width}x{crop.Height}+{crop.X}+{crop.Y} lies beyond the picture of {width}x{height} pixels."
            );
    }

    private static string[] Lines(string caption) => caption.ReplaceLineEndings("\n").Split('\n');
}
