using System.Diagnostics;
using System.Net;

namespace Diffusion.Interactive;

/// <summary>A bar of progress below a running cell. One thread at a time.</summary>
public sealed class LiveProgress : IProgress<double>, IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly string _caption;
    private readonly Action<View> _show;
    private readonly long _start = Stopwatch.GetTimestamp();
    private TimeSpan _shown;
    private double _fraction;

    internal LiveProgress(INotebookHost host, string caption)
    {
        _caption = caption;
        _show = host.ShowLive(Bar());
    }

    private TimeSpan Elapsed => Stopwatch.GetElapsedTime(_start);

    /// <summary>Shows how far it is.</summary>
    /// <param name="value">The finished part, 0..1.</param>
    public void Report(double value)
    {
        _fraction = Math.Clamp(value, 0, 1);
        if (_fraction < 1 && Elapsed - _shown < Pause)
            return;
        _shown = Elapsed;
        _show(Bar());
    }

    /// <summary>Leaves a line that says what it took.</summary>
    public void Dispose() => _show(new View(FormattableString.Invariant($"{_caption}: {Elapsed.TotalSeconds:0.0} s")));

    private View Bar()
    {
        string caption = WebUtility.HtmlEncode(_caption);
        return new View(FormattableString.Invariant($"{_caption}: {100 * _fraction:0} %"))
        {
            Html = FormattableString.Invariant($"{caption} <progress value=\"{_fraction:0.###}\" max=\"1\"></progress>"),
        };
    }
}
