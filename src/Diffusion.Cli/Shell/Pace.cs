using System.Diagnostics;

namespace Diffusion.Cli.Shell;

/// <summary>
/// How far a long job is, how fast it goes and when it will be done: a bar on a terminal, elsewhere a line now and then. From any thread.
/// </summary>
internal sealed class Pace(Terminal terminal, string things, int total)
{
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(20);
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly object _gate = new();
    private int _done;
    private TimeSpan _said;

    /// <summary>Things that are done.</summary>
    public int Done => _done;

    /// <summary>One more is done.</summary>
    /// <param name="report">The bar, 0..1.</param>
    public void Count(Action<double> report)
    {
        lock (_gate)
        {
            _done++;
            report((double)_done / total);
            if (terminal.IsInteractive || _watch.Elapsed - _said < Between || _done == total)
                return;
            _said = _watch.Elapsed;
            terminal.Say(Line);
        }
    }

    /// <summary>So many of so many, the rate, and the time left.</summary>
    public string Line
    {
        get
        {
            double seconds = Math.Max(1e-3, _watch.Elapsed.TotalSeconds),
                rate = _done / seconds;
            string left = _done == 0 || _done >= total ? "" : $", {Words(TimeSpan.FromSeconds((total - _done) / rate))} left";
            string each =
                rate >= 0.1
                    ? FormattableString.Invariant($"{rate:0.0} a second")
                    : FormattableString.Invariant($"{rate * 60:0.0} a minute");
            return FormattableString.Invariant($"{_done} of {total} {things}, {each}{left}.");
        }
    }

    private static string Words(TimeSpan time) =>
        time.TotalMinutes < 2 ? FormattableString.Invariant($"{time.TotalSeconds:0} s")
        : time.TotalHours < 2 ? FormattableString.Invariant($"{time.TotalMinutes:0} min")
        : FormattableString.Invariant($"{time.TotalHours:0.0} h");
}
