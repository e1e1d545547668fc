using System.Text.Json.Nodes;
using Diffusion.Interactive;
using Diffusion.Jupyter.Scripting;
using Diffusion.Runtime;

namespace Diffusion.Jupyter.Notebooks;

/// <summary>Runs a notebook's cells from top to bottom, without a front end.</summary>
public static class NotebookRun
{
    /// <summary>What comes of each code cell, as a notebook keeps it.</summary>
    /// <param name="source">The notebook.</param>
    /// <param name="ran">Told the number of each cell that has run, from 1.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="DiffusionException">A cell failed.</exception>
    public static IReadOnlyList<JsonArray> Outputs(NotebookSource source, Action<int>? ran = null, CancellationToken cancellation = default)
    {
        CSharpSession session = new();
        List<JsonArray> outputs = [];
        TextWriter before = Console.Out;
        INotebookHost host = Notebook.Host;
        Recorder recorder = new() { Cancellation = cancellation };
        try
        {
            Notebook.Host = recorder;
            foreach (NotebookCell cell in source.Cells.Where(cell => cell.IsCode))
            {
                recorder.Begin();
                using CellConsole console = new((_, text) => recorder.Print(text), "stdout");
                Console.SetOut(console);
                CellResult result = session.Run(cell.Text, cancellation);
                console.Flush();
                if (result.Error is { } error)
                    throw new DiffusionException(
                        $"Code cell {outputs.Count + 1} failed: {error.Message}",
                        source.Name,
                        $"It begins with: {cell.Text.Split('\n')[0]}"
                    );
                outputs.Add(recorder.Outputs);
                ran?.Invoke(outputs.Count);
            }
            return outputs;
        }
        finally
        {
            Console.SetOut(before);
            Notebook.Host = host;
        }
    }

    /// <summary>Keeps what a cell shows.</summary>
    private sealed class Recorder : INotebookHost
    {
        public JsonArray Outputs { get; private set; } = [];

        public CancellationToken Cancellation { get; init; }

        public void Begin() => Outputs = [];

        public void Show(View view) => Outputs.Add(Display(view));

        public Action<View> ShowLive(View view)
        {
            JsonArray mine = Outputs;
            JsonNode shown = Display(view);
            mine.Add(shown);
            return live =>
            {
                int at = mine.IndexOf(shown);
                mine[at] = shown = Display(live);
            };
        }

        public void Print(string text)
        {
            if (Outputs.LastOrDefault() is JsonObject last && last["output_type"]!.GetValue<string>() == "stream")
                last["text"] = last["text"]!.GetValue<string>() + text;
            else
                Outputs.Add(
                    new JsonObject
                    {
                        ["output_type"] = "stream",
                        ["name"] = "stdout",
                        ["text"] = text,
                    }
                );
        }

        private static JsonObject Display(View view) =>
            new()
            {
                ["output_type"] = "display_data",
                ["data"] = view.ToBundle(),
                ["metadata"] = new JsonObject(),
            };
    }
}
