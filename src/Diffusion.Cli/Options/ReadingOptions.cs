using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Diffusion.Cli.Shell;
using Diffusion.Imaging;
using Diffusion.Restoration;

namespace Diffusion.Cli.Options;

/// <summary>How files of measurements are read.</summary>
internal sealed class ReadingOptions
{
    private const int Float = 32;

    private readonly Option<ValueRange?> _range = new("--range")
    {
        HelpName = "BLACK..WHITE",
        Description = "Values of the file that are black and white, or auto; the result has the file's values again",
        CustomParser = Range,
    };

    private readonly Option<int?> _depth = new("--depth")
    {
        HelpName = "D",
        Description = "Bits of the result: 8, 16, float, or auto: as the input",
        CustomParser = Depth,
    };

    private readonly Option<string?> _key = new("--key") { HelpName = "NAME", Description = "The array of a .npz, .mat or HDF5 file" };

    private readonly Option<int?> _hdu = new("--hdu")
    {
        HelpName = "N",
        Description = "The unit of a FITS file, counted from 0",
        CustomParser = Values.AtLeast(0, "units"),
    };

    private readonly Option<PageSelection?> _pages = new("--pages")
    {
        HelpName = "P",
        Description = "Pages of a stack: all, N or A..B; several are restored one by one into a stack",
        CustomParser = Pages,
    };

    /// <summary>Adds them to a verb.</summary>
    /// <param name="command">The verb.</param>
    /// <param name="depth">Whether it writes what it reads.</param>
    public ReadingOptions AddTo(Command command, bool depth)
    {
        command.Add(_range);
        if (depth)
            command.Add(_depth);
        command.Add(_pages);
        command.Add(_key);
        command.Add(_hdu);
        return this;
    }

    /// <summary>What was given.</summary>
    public MeasurementOptions Of(Session session) =>
        new()
        {
            Range = session.Get(_range),
            Depth = session.Get(_depth),
            Pages = session.Get(_pages),
            Key = session.Get(_key),
            Hdu = session.Get(_hdu),
        };

    /// <summary>Refuses float results in formats that have none.</summary>
    /// <exception cref="UsageException">Such an output.</exception>
    public void CheckOutputs(Session session, IEnumerable<string> outputs)
    {
        if (session.Get(_depth) != Float)
            return;
        string? wrong = outputs.FirstOrDefault(path => ImageFormats.FromExtension(path) is not (ImageFormat.Tiff or ImageFormat.Fits));
        if (wrong is not null)
            throw new UsageException("This format holds no float values", wrong, "Name a .tif or .fits file with -o");
    }

    private static ValueRange? Range(ArgumentResult result)
    {
        string text = result.Tokens[^1].Value;
        if (ValueRange.Parse(text) is { } range)
            return range;
        result.AddError($"--range takes BLACK..WHITE in the values of the file, such as 100..4095, or auto, not \"{text}\".");
        return null;
    }

    private static PageSelection? Pages(ArgumentResult result)
    {
        string text = result.Tokens[^1].Value;
        if (PageSelection.Parse(text) is { } pages)
            return pages;
        result.AddError($"--pages takes all, a page such as 3, or a range such as 3..7, not \"{text}\".");
        return null;
    }

    private static int? Depth(ArgumentResult result)
    {
        string text = result.Tokens[^1].Value;
        switch (text)
        {
            case "auto":
                return null;
            case "float":
                return Float;
            case "8" or "16":
                return int.Parse(text, CultureInfo.InvariantCulture);
            default:
                result.AddError($"--depth takes auto, 8, 16 or float, not \"{text}\".");
                return null;
        }
    }
}
