using Diffusion.Arrays;
using Diffusion.Imaging;
using Diffusion.Runtime;

namespace Diffusion.Operators;

/// <summary>What of a picture's file tells known from missing.</summary>
public enum MaskChannel
{
    /// <summary>The alpha channel where it alone has a shape or the colours are a picture's, otherwise the luma.</summary>
    Auto,

    /// <summary>The mean of the colours.</summary>
    Luma,

    /// <summary>The alpha channel: transparent is missing.</summary>
    Alpha,
}

/// <summary>Reads the files of masks.</summary>
internal static class MaskFile
{
    /// <summary>[rows, columns] on [0,1], before threshold and inversion, and what a user should know about it.</summary>
    /// <exception cref="DiffusionException">No such file, no mask in it, or several and none chosen.</exception>
    public static (Tensor Values, IReadOnlyList<string> Notes) Read(Mask mask)
    {
        string path = mask.File!;
        if (!DataFile.IsArray(path))
            return Picture(mask, path);
        using NumericArray array = DataFile.Read(
            path,
            new ArraySelection
            {
                Key = mask.Key,
                Hdu = mask.Hdu,
                Page = mask.Page,
            }
        );
        if (array.Type.IsComplex())
            throw new OperatorSpecException("The mask's values are complex", path, "Write zeros and ones");
        Tensor plane = Plane(array, mask.Page, path);
        double largest = plane.nan_to_num(0, 0, 0).abs().max().to(ScalarType.Float64).item<double>();
        // NaN marks what is missing.
        Tensor values = (largest > 1 ? plane / largest : plane).nan_to_num(0, 1, 0);
        return (values.to(ScalarType.Float32).alias(), array.Notes);
    }

    private static Tensor Plane(NumericArray array, int? page, string path)
    {
        long[] shape = [.. array.Values.shape];
        // Leading axes of length one are no axes.
        while (shape.Length > 2 && shape[0] == 1)
            shape = shape[1..];
        Tensor values = array.Values.reshape(shape);
        if (shape.Length == 3 && page is { } chosen && !array.Paged)
            return chosen >= 1 && chosen <= shape[0]
                ? values[chosen - 1]
                : throw new OperatorSpecException($"There is no plane {chosen}", path, $"The file has planes 1 to {shape[0]}");
        return shape.Length == 2 && values.numel() > 0
            ? values
            : throw new OperatorSpecException(
                $"A mask has rows and columns, but this has the shape [{string.Join(",", array.Values.shape)}]",
                path,
                shape.Length == 3 ? $"Choose a plane with page=1 to page={shape[0]}" : "Write one plane"
            );
    }

    private static (Tensor, IReadOnlyList<string>) Picture(Mask mask, string path)
    {
        using Picture picture = ImageFile.Read(path, new ReadOptions { Page = mask.Page });
        Tensor luma = picture.Pixels.mean([0L, 1L]);
        if (picture.Alpha is not { } cover)
            return mask.Channel == MaskChannel.Alpha
                ? throw new OperatorSpecException("The mask has no alpha channel", path, "Write channel=luma, or leave it out")
                : (luma, picture.Notes);
        Tensor alpha = cover[0, 0].clone();
        // What has shades is a picture, whose own transparency is meant.
        bool IsPicture() => luma.gt(0.1).logical_and(luma.lt(0.9)).to(ScalarType.Float32).mean().item<float>() > 0.1;
        bool HasShape(Tensor values) => values.ge(mask.Threshold) is var known && known.any().item<bool>() && !known.all().item<bool>();
        switch (mask.Channel)
        {
            case MaskChannel.Alpha:
                return (alpha, picture.Notes);
            case MaskChannel.Luma:
                return (luma, picture.Notes);
            case MaskChannel.Auto when HasShape(alpha) && (!HasShape(luma) || IsPicture()):
                return (
                    alpha,
                    [
                        .. picture.Notes,
                        "The mask's alpha channel is used, since its colours are those of a picture or show no shape; "
                            + "transparent is missing",
                    ]
                );
            default:
                bool differ = HasShape(alpha) && luma.ge(mask.Threshold).ne(alpha.ge(mask.Threshold)).any().item<bool>();
                return (
                    luma,
                    differ
                        ?
                        [
                            .. picture.Notes,
                            "The mask's colours are used, not its alpha channel, which has another shape; channel=alpha takes that",
                        ]
                        : picture.Notes
                );
        }
    }
}
