using Diffusion.Cli.Shell;
using Diffusion.Inverse;
using Diffusion.Pipeline;
using Diffusion.Restoration;

namespace Diffusion.Cli.Restoring;

/// <summary>Says on the terminal how a job of restorations goes: progress, a line or an object per picture, sheets, warnings.</summary>
internal sealed class RestoreConsole(Session session, StartUp startUp) : IRestoreWatcher
{
    private readonly HashSet<SolveLog> _solves = new(ReferenceEqualityComparer.Instance);
    private readonly List<string> _unconverged = [];

    private Terminal Terminal => session.Terminal;

    /// <summary>Clean pictures to compare with.</summary>
    public required References References { get; init; }

    /// <summary>How the inputs are read.</summary>
    public required MeasurementOptions Reading { get; init; }

    /// <summary>Before/after pictures by output; empty: none are written.</summary>
    public required IReadOnlyDictionary<string, string> Sheets { get; init; }

    /// <summary>A warning about what was opened; null when there is nothing to say.</summary>
    public Func<string?> Warning { get; init; } = static () => null;

    /// <inheritdoc/>
    public void Opened()
    {
        startUp.Mark("prior and picture");
        if (Warning() is { } warning)
            Terminal.Warn(warning);
    }

    /// <inheritdoc/>
    public void Noted(JobItem item, string note) => Terminal.Say($"{item.Input}: {note}.");

    /// <inheritdoc/>
    public void Watch(IReadOnlyList<JobItem> items, string? part, Action<Action<double>> restore) =>
        Terminal.WithProgress(
            items.Count == 1 ? Path.GetFileName(items[0].Input) + (part is null ? "" : $", {part}") : $"{items.Count} pictures",
            report =>
                restore(part =>
                {
                    startUp.Tell("first step", Terminal);
                    report(part);
                })
        );

    /// <inheritdoc/>
    public void Restored(JobItem item, Measurement measurement, RestoredPicture restored)
    {
        using Report report = new(item.Input, item.Output, restored, measurement);
        if (References.For(item.Input) is { } reference)
            report.Compare(reference, Reading);
        if (Sheets.TryGetValue(item.Output, out string? sheet))
            report.WriteSheet(sheet);
        if (restored.InnerIterations is { } iterations)
            Terminal.Detail(FormattableString.Invariant($"{item.Input}: {iterations:0.0} iterations a data step on average."));
        if (Terminal.Json)
            Terminal.PrintJson(report.ToJson());
        else if (item.Output != OutputPlan.StandardOutput)
            Terminal.Print(report.ToLine());
        else
            Terminal.Say(report.ToLine());
        if (restored.Hint is { } hint)
            Terminal.Warn($"{item.Input}: {hint}.");
        // Pictures that were restored together have one log.
        _solves.Add(restored.Solves);
        if (restored.Solves.Unconverged > 0)
            _unconverged.Add(item.Input);
    }

    /// <summary>Says once, at the end, what concerns the whole run.</summary>
    public void Close()
    {
        if (RestoredPicture.HintOf(_solves) is { } hint)
            Terminal.Warn($"{(_unconverged.Count == 1 ? _unconverged[0] : $"{_unconverged.Count} pictures")}: {hint}.");
    }
}
