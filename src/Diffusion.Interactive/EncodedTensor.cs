using Diffusion.Imaging;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Interactive;

/// <summary>A picture as a notebook holds it: small ones enlarged pixel by pixel, so that a kernel can be seen.</summary>
internal sealed record EncodedTensor(byte[] File, string MimeType, int Width, int Height)
{
    private const int SmallestSide = 160,
        Quality = 90;

    /// <summary>Size on the page, in pixels.</summary>
    public (int Width, int Height) Shown
    {
        get
        {
            int times = Math.Max(1, SmallestSide / Math.Max(Width, Height));
            return (times * Width, times * Height);
        }
    }

    /// <summary>The picture as an address of HTML.</summary>
    public string Address => $"data:{MimeType};base64,{Convert.ToBase64String(File)}";

    /// <summary>Without loss, for front ends that show no HTML, and for files.</summary>
    public static EncodedTensor Png(Tensor pixels) => Of(pixels, ImageFormat.Png, "image/png");

    /// <summary>For the page: a fifth of the size of a PNG, and no difference to be seen.</summary>
    public static EncodedTensor Web(Tensor pixels) => Of(pixels, ImageFormat.WebP, "image/webp");

    /// <summary>[1,C,H,W] on [0,1] of a picture or a tensor; the caller owns it.</summary>
    /// <exception cref="ArgumentException">It is neither.</exception>
    public static Tensor PixelsOf(object picture)
    {
        Tensor pixels = picture switch
        {
            Picture one => one.Pixels,
            RestoredPicture restored => restored.Picture.Pixels,
            Tensor tensor => tensor,
            _ => throw new ArgumentException(
                $"A picture or a tensor [C,H,W] or [1,C,H,W] is shown, not a {picture.GetType().Name}.",
                nameof(picture)
            ),
        };
        if (pixels.dim() is < 2 or > 4 || pixels.dim() == 4 && pixels.shape[0] != 1)
            throw new ArgumentException($"A picture is [C,H,W] or [1,C,H,W], not [{string.Join(",", pixels.shape)}].", nameof(picture));
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor shown = pixels.detach().to(ScalarType.Float32);
        while (shown.dim() < 4)
            shown = shown.unsqueeze(0);
        // Two or more than three channels have no colours: the first is shown.
        if (shown.shape[1] is not (1 or 3))
            shown = shown.narrow(1, 0, 1);
        return shown.nan_to_num(0, 1, 0).clamp(0, 1).MoveToOuterDisposeScope();
    }

    private static EncodedTensor Of(Tensor pixels, ImageFormat format, string mimeType)
    {
        using ComputeScope scope = new();
        using MemoryStream file = new();
        ImageFile.Write(file, pixels, format, new WriteOptions { BitDepth = 8, Quality = Quality });
        return new(file.ToArray(), mimeType, (int)pixels.shape[3], (int)pixels.shape[2]);
    }
}
