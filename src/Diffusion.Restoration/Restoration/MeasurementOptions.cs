using System.Text.Json.Nodes;
using Diffusion.Imaging;
using Diffusion.Inverse;

namespace Diffusion.Restoration;

/// <summary>How the file of a measurement is read.</summary>
public sealed record MeasurementOptions
{
    /// <summary>Whole, as it is.</summary>
    public static MeasurementOptions Default { get; } = new();

    /// <summary>The values that become 0 and 1; null: 0 and the largest of the file's integers, or 1 for floats.</summary>
    public ValueRange? Range { get; init; }

    /// <summary>Bits that the result is written with: 8, 16, or 32 for float; null: those of the file.</summary>
    public int? Depth { get; init; }

    /// <summary>Which array of a .npz, .mat or HDF5 file; null: the only one, or y.</summary>
    public string? Key { get; init; }

    /// <summary>Which header and data unit of a FITS file, counted from 0; null: the first with a picture.</summary>
    public int? Hdu { get; init; }

    /// <summary>
    /// How it was measured, where that is known: operators that take arrays (complex frequencies, sinograms) read files without a side
    /// file.
    /// </summary>
    public OperatorSpec? Operator { get; init; }

    /// <summary>Which pages of a stack are restored; null: the first alone.</summary>
    public PageSelection? Pages { get; init; }

    /// <summary>The page that is read, counted from 1; null: the first, with a note where there are several.</summary>
    public int? Page { get; init; }

    /// <summary>Its class, for class-conditional priors.</summary>
    public long? Label { get; init; }

    /// <summary>Adds what is set to the settings that decide a result: what is not set is not there, as in older records.</summary>
    internal void AddTo(JsonObject settings)
    {
        if (Range is { } range)
            settings["range"] = range.ToString();
        if (Depth is { } depth)
            settings["depth"] = depth;
        if (Pages is { } pages)
            settings["pages"] = pages.ToString();
        if (Key is not null)
            settings["key"] = Key;
        if (Hdu is { } hdu)
            settings["hdu"] = hdu;
    }
}
