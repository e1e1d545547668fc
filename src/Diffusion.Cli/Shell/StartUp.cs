using System.Diagnostics;

namespace Diffusion.Cli.Shell;

/// <summary>What the time to the first network evaluation goes into; <c>--verbose</c> shows it.</summary>
internal sealed class StartUp
{
    private readonly DateTime _started = Process.GetCurrentProcess().StartTime;
    private readonly List<string> _stages = [];
    private TimeSpan _wall,
        _processor;
    private bool _told;

    /// <summary>Ends a stage.</summary>
    public void Mark(string stage)
    {
        if (_told)
            return;
        (TimeSpan wall, TimeSpan processor) = (DateTime.Now - _started, Environment.CpuUsage.TotalTime);
        _stages.Add(
            FormattableString.Invariant($"{stage} {(wall - _wall).TotalSeconds:0.00} s ({(processor - _processor).TotalSeconds:0.00})")
        );
        (_wall, _processor) = (wall, processor);
    }

    /// <summary>Ends the last stage and tells all of them, once.</summary>
    public void Tell(string stage, Terminal terminal)
    {
        if (_told)
            return;
        Mark(stage);
        _told = true;
        terminal.Detail(
            string.Create(
                System.Globalization.CultureInfo.InvariantCulture,
                $"Start-up, seconds (of processor time): {string.Join(", ", _stages)}; {_wall.TotalSeconds:0.00} s "
                    + $"({_processor.TotalSeconds:0.00}) in all."
            )
        );
    }
}
