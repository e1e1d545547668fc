using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Diffusion.Jupyter.Notebooks;

/// <summary>A notebook as Jupyter keeps it, format 4.5.</summary>
public static class NotebookFile
{
    private static readonly JsonSerializerOptions Layout = new()
    {
        WriteIndented = true,
        IndentSize = 1,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Writes a notebook.</summary>
    /// <param name="source">Its cells.</param>
    /// <param name="outputs">What came of each code cell, in order.</param>
    public static string Of(NotebookSource source, IReadOnlyList<JsonArray> outputs)
    {
        JsonArray cells = [];
        int count = 0;
        foreach ((int k, NotebookCell cell) in source.Cells.Index())
        {
            JsonObject json = new()
            {
                ["cell_type"] = cell.IsCode ? "code" : "markdown",
                ["id"] = FormattableString.Invariant($"cell-{k + 1:00}"),
                ["metadata"] = new JsonObject(),
                ["source"] = Lines(cell.Text),
            };
            if (cell.IsCode)
            {
                json["execution_count"] = count + 1;
                json["outputs"] = outputs[count++].DeepClone();
            }
            cells.Add(json);
        }
        JsonObject notebook = new()
        {
            ["cells"] = cells,
            ["metadata"] = new JsonObject
            {
                ["kernelspec"] = new JsonObject
                {
                    ["display_name"] = KernelSpec.DisplayName,
                    ["language"] = "C#",
                    ["name"] = KernelSpec.Name,
                },
                ["language_info"] = new JsonObject
                {
                    ["name"] = "C#",
                    ["file_extension"] = ".cs",
                    ["mimetype"] = "text/x-csharp",
                    ["pygments_lexer"] = "csharp",
                },
            },
            ["nbformat"] = 4,
            ["nbformat_minor"] = 5,
        };
        return notebook.ToJsonString(Layout) + "\n";
    }

    private static JsonArray Lines(string text)
    {
        string[] lines = text.Split('\n');
        return [.. lines.Select((line, k) => (JsonNode)(k < lines.Length - 1 ? line + "\n" : line))];
    }
}
