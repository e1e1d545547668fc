using System.Text.Json.Nodes;
using Diffusion.Cli.Shell;
using Diffusion.Pipeline;
using Diffusion.Restoration;

namespace Diffusion.Cli.Restoring;

/// <summary>Shows what a job of restorations would do, and does nothing.</summary>
internal static class RestoreDryRun
{
    /// <summary>Plans every item.</summary>
    /// <param name="session">Where it is said.</param>
    /// <param name="files">The job.</param>
    /// <param name="labelOf">The class of an input.</param>
    /// <param name="batch">Pictures that would be restored together.</param>
    /// <param name="runner">What would restore; borrowed.</param>
    /// <param name="reading">How the inputs are read.</param>
    public static ExitCode Run(
        Session session,
        FileJob files,
        Func<string, long?> labelOf,
        int batch,
        RestorationRunner runner,
        MeasurementOptions reading
    )
    {
        HashSet<JobItem> todo = [.. files.Todo];
        FileJob plans = JobConsole.Watched(session, files.Items);
        double seconds = 0;
        plans.Run(item =>
        {
            IReadOnlyList<int?> pages = Measurement.PagesOf(item.Input, reading);
            using Measurement measurement = Measurement.Open(item.Input, reading with { Label = labelOf(item.Input), Page = pages[0] });
            RestorePlan plan = runner.Plan(measurement, batch);
            plan = plan with { Seconds = plan.Seconds * pages.Count };
            bool complete = !todo.Contains(item);
            if (!complete)
                seconds += plan.Seconds;
            if (session.Terminal.Json)
                session.Terminal.PrintJson(ToJson(item, complete, plan));
            else
                session.Terminal.Print($"{item.Input} -> {item.Output}: {(complete ? "complete already" : plan)}");
        });
        if (!session.Terminal.Json)
            session.Terminal.Print(FormattableString.Invariant($"About {seconds:0.0} s in all; nothing was written."));
        return JobConsole.Finish(session, plans);
    }

    private static JsonObject ToJson(JobItem item, bool complete, RestorePlan plan) =>
        new()
        {
            ["input"] = item.Input,
            ["output"] = item.Output,
            ["complete"] = complete,
            ["operator"] = plan.Operator,
            ["noise"] = plan.Noise,
            ["noise_model"] = plan.NoiseModel,
            ["solver"] = plan.Solver,
            ["evaluations"] = plan.Evaluations,
            ["size"] = new JsonArray(plan.Picture.Channels, plan.Picture.Height, plan.Picture.Width),
            ["tile"] = plan.Tile,
            ["areas"] = plan.Areas,
            ["bytes"] = plan.Bytes,
            ["seconds"] = Math.Round(plan.Seconds, 2),
        };
}
