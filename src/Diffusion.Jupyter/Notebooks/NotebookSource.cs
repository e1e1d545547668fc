using Diffusion.Runtime;

namespace Diffusion.Jupyter.Notebooks;

/// <summary>A piece of a notebook.</summary>
/// <param name="IsCode">C#, else Markdown.</param>
/// <param name="Text">Without the fence, lines ended by \n but for the last.</param>
public readonly record struct NotebookCell(bool IsCode, string Text);

/// <summary>What a notebook is written as: Markdown, whose fenced blocks of <c>csharp</c> are its cells.</summary>
/// <param name="Name">The file's name without its extension.</param>
/// <param name="Cells">In order.</param>
public sealed record NotebookSource(string Name, IReadOnlyList<NotebookCell> Cells)
{
    private const string Open = "```csharp",
        Close = "```";

    /// <summary>Reads a source.</summary>
    /// <exception cref="DiffusionException">A block of code has no end.</exception>
    public static NotebookSource Read(string path)
    {
        List<NotebookCell> cells = [];
        List<string> lines = [];
        bool code = false;
        foreach (string line in File.ReadLines(path))
            if (line.TrimEnd() == (code ? Close : Open))
            {
                End();
                code = !code;
            }
            else
                lines.Add(line.TrimEnd());
        if (code)
            throw new DiffusionException("A block of C# has no end", path, $"Close it with {Close}");
        End();
        return new(Path.GetFileNameWithoutExtension(path), cells);

        void End()
        {
            string text = string.Join('\n', lines).Trim('\n');
            if (text.Length > 0)
                cells.Add(new(code, text));
            lines.Clear();
        }
    }
}
