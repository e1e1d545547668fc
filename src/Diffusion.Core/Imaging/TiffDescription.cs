using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;

namespace Diffusion.Imaging;

/// <summary>The description of a TIFF file's first page, which in science says what the whole stack is.</summary>
/// <param name="Text">As it stands in the file.</param>
/// <param name="Pages">Pages of the file.</param>
internal sealed partial record TiffDescription(string Text, int Pages)
{
    /// <summary>Whether it speaks of the whole file.</summary>
    public bool OfStack => IsOme || IsImageJ || IsShape;

    private bool IsOme => Text.Contains("<OME", StringComparison.Ordinal);

    private bool IsImageJ => Text.StartsWith("ImageJ=", StringComparison.Ordinal);

    // tifffile's own: {"shape": [3, 5, 7]}
    private bool IsShape => Text.StartsWith("{\"shape\"", StringComparison.Ordinal) || Text.StartsWith("shape=", StringComparison.Ordinal);

    /// <summary>The description of pictures of another size; null where it does not hold any more.</summary>
    public TiffDescription? For((int Height, int Width) from, (int Height, int Width) to, PixelGrid grid)
    {
        if (from == to || !OfStack || IsImageJ)
            return this;
        return IsShape
            ? null
            : EditOme(pixels =>
            {
                Set(pixels, "SizeX", to.Width);
                Set(pixels, "SizeY", to.Height);
                Scale(pixels, "PhysicalSizeX", grid.Across);
                Scale(pixels, "PhysicalSizeY", grid.Down);
                return true;
            });
    }

    /// <summary>Whether a description for so many pages can be made of it.</summary>
    public bool FitsPages(int pages) => !IsOme || TextFor(pages, 8, 0) is not null;

    /// <summary>The text for another file; null where it does not hold any more.</summary>
    /// <param name="pages">Its pages.</param>
    /// <param name="bits">Its bits per sample.</param>
    /// <param name="values">All of its samples; 0: so many as fit.</param>
    public string? TextFor(int pages, int bits, long values)
    {
        if (!OfStack)
            return Text;
        if (IsShape)
            return Shape() == values ? Text : null;
        if (IsImageJ)
            return Regex.Replace(
                pages == Pages
                    ? Text
                    : Regex.Replace(Text, $@"^(images|slices|frames|channels)={Pages}$", $"$1={pages}", RegexOptions.Multiline),
                @"^(min|max)=.*\n",
                "",
                RegexOptions.Multiline
            );
        return EditOme(image =>
        {
            long Size(string name) => (long?)image.Attribute(name) ?? 1;
            // Gray pages that became colours, or the other way round.
            long planes = Size("SizeZ") * Size("SizeT") * Size("SizeC");
            if (pages == Pages && values > 0 && planes * Size("SizeX") * Size("SizeY") != values)
                return false;
            image.SetAttributeValue("Type", bits == 32 ? "float" : $"uint{bits}");
            image.SetAttributeValue("SignificantBits", null);
            image.SetAttributeValue("BigEndian", null);
            XNamespace space = image.Name.Namespace;
            // Which page is which plane is the default order again, and the file names of the source are not ours.
            image.Elements(space + "TiffData").Where(data => data.HasElements || pages != Pages).Remove();
            if (!image.Elements(space + "TiffData").Any() && !image.Elements(space + "BinData").Any())
            {
                XElement data = new(space + "TiffData");
                if (image.Elements(space + "Channel").LastOrDefault() is { } channel)
                    channel.AddAfterSelf(data);
                else
                    image.AddFirst(data);
            }
            if (pages == Pages)
                return true;
            image.Elements(space + "Plane").Remove();
            string[] axes = [.. new[] { "SizeZ", "SizeT", "SizeC" }.Where(name => (int?)image.Attribute(name) > 1)];
            if (axes.Length != 1 || axes[0] == "SizeC")
                return false;
            Set(image, axes[0], pages);
            return true;
        })?.Text;
    }

    private long Shape() =>
        Numbers().Match(Text) is { Success: true } match
            ? match
                .Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Aggregate(1L, (product, side) => product * long.Parse(side, CultureInfo.InvariantCulture))
            : -1;

    [GeneratedRegex(@"(?<=[\[(])[\d, ]+", RegexOptions.CultureInvariant)]
    private static partial Regex Numbers();

    private TiffDescription? EditOme(Func<XElement, bool> edit)
    {
        try
        {
            using XmlReader reader = XmlReader.Create(
                new StringReader(Text.TrimEnd('\0', ' ', '\n')),
                new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null }
            );
            XDocument document = XDocument.Load(reader);
            document.Root!.SetAttributeValue("UUID", null);
            foreach (XElement pixels in document.Descendants().Where(e => e.Name.LocalName == "Pixels").ToArray())
                if (!edit(pixels))
                    return null;
            return this with { Text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>" + document.ToString(SaveOptions.DisableFormatting) };
        }
        catch (XmlException)
        {
            return null;
        }
    }

    private static void Set(XElement element, string name, int value) =>
        element.SetAttributeValue(name, value.ToString(CultureInfo.InvariantCulture));

    private static void Scale(XElement element, string name, PixelAxis axis)
    {
        if (double.TryParse((string?)element.Attribute(name), NumberStyles.Float, CultureInfo.InvariantCulture, out double size))
            element.SetAttributeValue(name, (size / axis.Factor).ToString("R", CultureInfo.InvariantCulture));
    }
}
