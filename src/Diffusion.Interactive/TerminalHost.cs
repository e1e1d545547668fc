using Diffusion.Imaging;

namespace Diffusion.Interactive;

/// <summary>Shows views in a terminal: their text, and the names of the files that their pictures were written to.</summary>
/// <param name="folder">Where pictures go; null: a folder named after the program, in the current one.</param>
public sealed class TerminalHost(string? folder = null) : INotebookHost
{
    private readonly string _folder = folder ?? (Path.GetFileNameWithoutExtension(Environment.ProcessPath) ?? "notebook") + "_pictures";
    private int _count;

    /// <inheritdoc/>
    public CancellationToken Cancellation => CancellationToken.None;

    /// <inheritdoc/>
    public void Show(View view)
    {
        if (view.Png.IsEmpty)
        {
            Console.Out.WriteLine(view.Text);
            return;
        }
        string path = Path.Combine(_folder, FormattableString.Invariant($"{++_count:00}.png"));
        Directory.CreateDirectory(_folder);
        OutputFile.Write(path, true, stream => stream.Write(view.Png.Span));
        Console.Out.WriteLine($"{view.Text} -> {path}");
    }

    /// <summary>Shows the last state only, when it is no bar any more.</summary>
    public Action<View> ShowLive(View view) =>
        live =>
        {
            if (live.Html is null)
                Show(live);
        };
}
