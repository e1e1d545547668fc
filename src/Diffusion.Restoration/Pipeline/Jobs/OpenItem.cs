using Diffusion.Imaging;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Pipeline;

/// <summary>An input on its way: its pages are restored one by one and written together.</summary>
internal sealed class OpenItem : IDisposable
{
    private readonly List<RestoredPicture> _restored = [];
    private readonly HashSet<string> _notes = [];
    private Measurement? _first;
    private RestoredPicture? _joined;

    /// <summary>Finds the pages that are wanted.</summary>
    /// <exception cref="ImageException">The file has fewer, or cannot be read.</exception>
    public OpenItem(JobItem item, MeasurementOptions reading)
    {
        Item = item;
        Pages = Measurement.PagesOf(item.Input, reading);
    }

    /// <summary>The item.</summary>
    public JobItem Item { get; }

    /// <summary>Its pages, counted from 1; null alone: the file as it is.</summary>
    public IReadOnlyList<int?> Pages { get; }

    /// <summary>Whether a page came to nothing, and so the whole.</summary>
    public bool Failed { get; private set; }

    /// <summary>Whether every page is restored.</summary>
    public bool IsComplete => !Failed && _restored.Count == Pages.Count;

    /// <summary>The measurement of the first page; borrowed.</summary>
    public Measurement First => _first ?? throw new InvalidOperationException("No page is restored yet.");

    /// <summary>Whether a note was not made of an earlier page.</summary>
    public bool IsNew(string note) => _notes.Add(note);

    /// <summary>Which page a measurement is, in words; null where there is only one.</summary>
    public string? PartOf(Measurement measurement) =>
        Pages.Count > 1 ? $"page {measurement.Page}, {_restored.Count + 1} of {Pages.Count}" : null;

    /// <summary>Takes over a restored page, and the first page's measurement.</summary>
    public void Add(Measurement measurement, RestoredPicture restored)
    {
        _first ??= measurement;
        _restored.Add(restored);
        if (Failed)
            Dispose();
    }

    /// <summary>The result; stays this item's.</summary>
    public RestoredPicture Join() => _joined ??= JoinedPictures.OfPages(_restored);

    /// <summary>Gives up.</summary>
    public void Fail()
    {
        Failed = true;
        Dispose();
    }

    /// <summary>Disposes a measurement that is not needed any more.</summary>
    public void Release(Measurement measurement)
    {
        if (!ReferenceEquals(measurement, _first))
            measurement.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (RestoredPicture picture in _restored)
            picture.Dispose();
        _restored.Clear();
        _first?.Dispose();
        _first = null;
    }
}
