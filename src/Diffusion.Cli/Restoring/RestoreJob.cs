using System.Text.Json.Nodes;
using Diffusion.Cli.Files;
using Diffusion.Cli.Shell;
using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Native;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Cli.Restoring;

/// <summary>Restores files one batch after another and writes each result as soon as it is there.</summary>
internal sealed class RestoreJob(Session session, RestoreOptions options, Func<ComputePolicy> choosePolicy, OutputPlan outputs)
{
    /// <summary>One input on its way.</summary>
    private sealed record Item(string Input, string Output, Measurement Measurement, JsonObject Settings);

    private Terminal Terminal => session.Terminal;

    /// <summary>Clean pictures to compare with.</summary>
    public required References References { get; init; }

    /// <summary>Classes by picture.</summary>
    public required Classes Classes { get; init; }

    /// <summary>Pictures of one size that are restored together.</summary>
    public int Batch { get; init; } = 1;

    /// <summary>Before/after pictures by output; empty: none are written.</summary>
    public required IReadOnlyDictionary<string, string> Sheets { get; init; }

    /// <summary>Skip complete outputs.</summary>
    public bool Resume { get; init; }

    /// <summary>Replace existing outputs.</summary>
    public bool Overwrite { get; init; }

    /// <summary>Restores.</summary>
    public ExitCode Run(IReadOnlyList<string> inputs)
    {
        FileQueue queue = new(session);
        int[] todo = [.. Enumerable.Range(0, inputs.Count).Where(i => !IsComplete(inputs[i], outputs.Paths[i]))];
        if (todo.Length < inputs.Count)
            Terminal.Say($"{inputs.Count - todo.Length} of {inputs.Count} outputs are complete already.");
        if (todo.Length == 0)
            return ExitCode.Done;
        StartUp startUp = new();
        startUp.Mark("runtime and command line");
        ComputePolicy policy = choosePolicy();
        startUp.Mark("libtorch");
        // The prior loads while the first picture is decoded.
        Task<Restorer> loading = Task.Run(() => new Restorer(options with { Policy = policy }));
        List<Item> batch = [];
        try
        {
            foreach (int i in todo)
            {
                session.Cancellation.ThrowIfCancellationRequested();
                Item? item = null;
                using (loading.IsCompleted ? null : new FinalizerHold())
                    queue.Try([inputs[i]], inputs.Count, () => item = Open(inputs[i], outputs.Paths[i]));
                // What is wrong with the prior is wrong for every file: not caught here.
                Restorer restorer = loading.GetAwaiter().GetResult();
                startUp.Mark("prior and picture");
                if (i == todo[0] && Classes.Any && restorer.Prior.Classes is null)
                    Terminal.Warn($"Prior {restorer.Prior.Name} knows no classes: --class and --classes change nothing.");
                if (item is null)
                    continue;
                string? kind = null;
                queue.Try([inputs[i]], inputs.Count, () => kind = restorer.KindOf(item.Measurement));
                if (kind is null)
                {
                    item.Measurement.Dispose();
                    continue;
                }
                if (batch.Count > 0 && restorer.KindOf(batch[0].Measurement) != kind)
                    Flush(restorer);
                batch.Add(item);
                if (batch.Count == Batch)
                    Flush(restorer);
            }
            if (batch.Count > 0)
                Flush(loading.Result);
        }
        finally
        {
            foreach (Item item in batch)
                item.Measurement.Dispose();
            if (loading.IsCompletedSuccessfully)
                loading.Result.Dispose();
        }
        return queue.Finish(inputs.Count);

        void Flush(Restorer restorer)
        {
            Item[] items = [.. batch];
            batch.Clear();
            try
            {
                queue.Try([.. items.Select(item => item.Input)], inputs.Count, () => Restore(restorer, items, policy, startUp));
            }
            finally
            {
                foreach (Item item in items)
                    item.Measurement.Dispose();
            }
        }
    }

    /// <summary>Shows what would be done, and stops.</summary>
    public ExitCode Plan(IReadOnlyList<string> inputs)
    {
        using Restorer restorer = new(options with { Policy = choosePolicy() });
        FileQueue queue = new(session);
        double seconds = 0;
        queue.Run(inputs, (input, i) =>
        {
            bool complete = IsComplete(input, outputs.Paths[i]);
            using Measurement measurement = Measurement.Open(input, Classes.Of(input));
            RestorePlan plan = UsageException.GuardArguments(() => restorer.Plan(measurement, Batch));
            if (!complete)
                seconds += plan.Seconds;
            if (Terminal.Json)
                Terminal.PrintJson(PlanJson(input, outputs.Paths[i], complete, plan));
            else
                Terminal.Print($"{input} -> {outputs.Paths[i]}: {(complete ? "complete already" : plan)}");
        });
        if (!Terminal.Json)
            Terminal.Print(FormattableString.Invariant($"About {seconds:0.0} s in all; nothing was written."));
        return queue.Code;
    }

    private static JsonObject PlanJson(string input, string output, bool complete, RestorePlan plan) =>
        new()
        {
            ["input"] = input,
            ["output"] = output,
            ["complete"] = complete,
            ["operator"] = plan.Operator,
            ["noise"] = plan.Noise,
            ["solver"] = plan.Solver,
            ["evaluations"] = plan.Evaluations,
            ["size"] = new JsonArray(plan.Picture.Channels, plan.Picture.Height, plan.Picture.Width),
            ["tile"] = plan.Tile,
            ["areas"] = plan.Areas,
            ["bytes"] = plan.Bytes,
            ["seconds"] = Math.Round(plan.Seconds, 2),
        };

    private bool IsComplete(string input, string output) =>
        Resume && RestoreRecord.IsComplete(output, RestoreRecord.Settings(input, options, Classes.Of(input)));

    private Item Open(string input, string output)
    {
        Measurement measurement = Measurement.Open(input, Classes.Of(input));
        foreach (string note in measurement.Notes)
            Terminal.Say($"{input}: {note}.");
        return new Item(input, output, measurement, RestoreRecord.Settings(input, options, Classes.Of(input)));
    }

    private void Restore(Restorer restorer, IReadOnlyList<Item> items, ComputePolicy policy, StartUp startUp)
    {
        string title = items.Count == 1 ? Path.GetFileName(items[0].Input) : $"{items.Count} pictures";
        IReadOnlyList<RestoredPicture> restored = [];
        Terminal.WithProgress(title, report => restored = UsageException.GuardArguments(() =>
                restorer.Restore(
                    [.. items.Select(item => item.Measurement)],
                    step =>
                    {
                        startUp.Tell("first step", Terminal);
                        report(step.Fraction);
                    },
                    session.Cancellation
                )
            ));
        for (int i = 0; i < items.Count; i++)
        {
            using RestoredPicture picture = restored[i];
            Write(items[i], picture, policy);
        }
    }

    private void Write(Item item, RestoredPicture restored, ComputePolicy policy)
    {
        if (item.Output == OutputPlan.StandardOutput)
        {
            using Stream stdout = Console.OpenStandardOutput();
            ImageFile.Write(
                stdout,
                restored.Picture.Pixels,
                ImageFormat.Png,
                new WriteOptions { BitDepth = restored.Picture.BitDepth },
                restored.Picture.Alpha
            );
        }
        else
        {
            ImageFile.Write(item.Output, restored.Picture, new WriteOptions { Overwrite = Overwrite });
            SampleFiles.Write(item.Output, restored);
            RestoreRecord.Write(item.Output, item.Settings, restored, policy);
        }
        using Report report = new(item.Input, item.Output, restored, item.Measurement);
        if (References.For(item.Input) is { } reference)
            report.Compare(reference);
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
        foreach (string hint in new[] { restored.Hint, restored.SolvesHint }.OfType<string>())
            Terminal.Warn($"{item.Input}: {hint}.");
    }
}
