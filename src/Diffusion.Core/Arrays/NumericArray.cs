namespace Diffusion.Arrays;

/// <summary>An array from a file.</summary>
/// <param name="Values">
/// float32 where that holds every value of the file, otherwise float64; complex64 and complex128 stay complex. In the order of NumPy: the
/// last axis is the columns. Owned.
/// </param>
/// <param name="Type">The file's own number type.</param>
public sealed record NumericArray(Tensor Values, SampleType Type) : IDisposable
{
    /// <summary>Its name in the file; null where files hold one.</summary>
    public string? Name { get; init; }

    /// <summary>Whether <see cref="ArraySelection.Page"/> has chosen it already, as one of several arrays under one name.</summary>
    public bool Paged { get; init; }

    /// <summary>What a user may want to know, one sentence each, without a full stop.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <inheritdoc/>
    public void Dispose() => Values.Dispose();
}

/// <summary>Which of a file's arrays is meant.</summary>
public sealed record ArraySelection
{
    /// <summary>The only one.</summary>
    public static ArraySelection Only { get; } = new();

    /// <summary>The array's name in .npz, .mat and HDF5 files.</summary>
    public string? Key { get; init; }

    /// <summary>The header and data unit of FITS files, counted from 0.</summary>
    public int? Hdu { get; init; }

    /// <summary>The page of a stack, counted from 1.</summary>
    public int? Page { get; init; }
}
