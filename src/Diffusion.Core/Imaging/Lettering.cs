using System.Runtime.InteropServices;
using Diffusion.Runtime;
using Vips = NetVips;

namespace Diffusion.Imaging;

/// <summary>Draws one line of text in the font that ships, so that captions do not depend on installed fonts.</summary>
internal static partial class Lettering
{
    private const string FontResource = "Inter-Regular.otf",
        Family = "Inter";
    private static readonly Lazy<string> FontFile = new(ExtractFont);

    /// <summary>The height of a line, in multiples of the font's size.</summary>
    public const double LineHeight = 1.4;

    /// <summary>Draws text.</summary>
    /// <param name="text">
    /// Line breaks and control characters become spaces. Characters that neither this font nor an installed one has appear as boxes.
    /// </param>
    /// <param name="size">Font size in pixels.</param>
    /// <param name="width">The widest line wanted, in pixels; longer text ends in an ellipsis.</param>
    /// <returns>
    /// [h,w] float32 coverage on [0,1], h = round(size * <see cref="LineHeight"/>), w at most <paramref name="width"/>; the caller owns it.
    /// </returns>
    public static Tensor Draw(string text, int size, int width)
    {
        CodecLibrary.Load();
        string line = new([.. text.Select(c => char.IsControl(c) ? ' ' : c)]);
        Vips.Image ink = Render(line, size);
        for (int length = line.Length; ink.Xoffset + ink.Width > width && length > 1; )
        {
            // Guess from the mean width of a character, then go down one by one.
            length = Math.Max(1, Math.Min(length - 1, (int)((double)length * width / (ink.Xoffset + ink.Width)) + 1));
            if (char.IsHighSurrogate(line[length - 1]))
                length--;
            ink.Dispose();
            ink = Render(line[..length].TrimEnd() + "…", size);
        }
        using (ink)
            return Place(ink, (int)Math.Round(size * LineHeight), width);
    }

    private static Vips.Image Render(string line, int size)
    {
        // Without visible text there is nothing to draw, which the library refuses.
        if (string.IsNullOrWhiteSpace(line))
            return Vips.Image.Black(1, 1);
        string markup = line.Replace("&", "&amp;", StringComparison.Ordinal)
            .Replace("<", "&lt;", StringComparison.Ordinal)
            .Replace(">", "&gt;", StringComparison.Ordinal);
        return Vips.Image.Text(markup, font: FormattableString.Invariant($"{Family} {size}"), dpi: 72, fontfile: FontFile.Value);
    }

    private static Tensor Place(Vips.Image ink, int height, int width)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        (int left, int top) = (Math.Max(ink.Xoffset, 0), Math.Max(ink.Yoffset, 0));
        int columns = Math.Min(left + ink.Width, width),
            rows = Math.Min(ink.Height, height - top);
        Tensor line = torch.zeros([height, columns], ScalarType.Float32);
        if (rows > 0 && columns > left)
        {
            Tensor glyphs = torch.tensor(ink.WriteToMemory<byte>(), [ink.Height, ink.Width]).to(ScalarType.Float32) / 255;
            line.narrow(0, top, rows).narrow(1, left, columns - left).copy_(glyphs.narrow(0, 0, rows).narrow(1, 0, columns - left));
        }
        return line.MoveToOuterDisposeScope();
    }

    /// <summary>The text engine reads fonts from files: the embedded one is put into a folder that goes when the process ends.</summary>
    private static string ExtractFont()
    {
        string folder = Directory.CreateTempSubdirectory("diffusion-font-").FullName,
            file = Path.Combine(folder, FontResource);
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            try
            {
                Directory.Delete(folder, recursive: true);
            }
            catch (IOException) { }
        };
        using (Stream font = typeof(Lettering).Assembly.GetManifestResourceStream(FontResource)!)
        using (FileStream copy = File.Create(file))
            font.CopyTo(copy);
        // Machines without any fonts have no configuration either; the engine would complain on standard error.
        if (!OperatingSystem.IsWindows() && !File.Exists("/etc/fonts/fonts.conf"))
        {
            string configuration = Path.Combine(folder, "fonts.conf");
            File.WriteAllText(
                configuration,
                $"<?xml version=\"1.0\"?><fontconfig><dir>{folder}</dir><cachedir>{folder}</cachedir></fontconfig>"
            );
            setenv("FONTCONFIG_FILE", configuration, 0);
        }
        return file;
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int setenv(string name, string value, int overwrite);
}
