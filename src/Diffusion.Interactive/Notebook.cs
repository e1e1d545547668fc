namespace Diffusion.Interactive;

/// <summary>Shows things in a notebook, and in a terminal where there is none.</summary>
/// <remarks>
/// The same program runs in a notebook of C# (Diffusion), in one of .NET Interactive, and as <c>dotnet run notebook.cs</c>, which prints
/// the text of what is shown and writes its pictures into a folder.
/// <code>
/// using Picture photo = ImageFile.Read("photo.jpg");
/// Notebook.Show(photo, "as it is");
/// </code>
/// </remarks>
public static class Notebook
{
    private static INotebookHost? s_host;

    /// <summary>Where views go.</summary>
    public static INotebookHost Host
    {
        get => s_host ??= (INotebookHost?)DotNetInteractive.Find() ?? new TerminalHost();
        set => s_host = value;
    }

    /// <summary>Cancelled when the cell that runs is interrupted: pass it to what takes long.</summary>
    public static CancellationToken Cancellation => Host.Cancellation;

    /// <summary>Shows a value: pictures, restorations, operators and curves as such, other things as text.</summary>
    /// <param name="value">Borrowed.</param>
    /// <param name="caption">Stands below it; null: nothing.</param>
    public static void Show(object value, string? caption = null)
    {
        ArgumentNullException.ThrowIfNull(value);
        Host.Show(ViewOf.Value(value, caption));
    }

    /// <summary>Shows pictures side by side.</summary>
    /// <param name="pictures">
    /// Captions and pictures: a <see cref="Imaging.Picture"/>, or a tensor [C,H,W] or [1,C,H,W] on [0,1]; borrowed.
    /// </param>
    public static void ShowRow(params (string Caption, object Picture)[] pictures) => Host.Show(ViewOf.Row(pictures));

    /// <summary>Shows two pictures of one size with a divider to pull across.</summary>
    /// <param name="before">A picture or a tensor [C,H,W] or [1,C,H,W] on [0,1]; borrowed. It is enlarged where it is smaller.</param>
    /// <param name="after">Likewise.</param>
    /// <param name="captions">What stands at the left and at the right.</param>
    public static void Compare(object before, object after, (string Before, string After)? captions = null) =>
        Host.Show(ViewOf.Comparison(before, after, captions ?? ("before", "after")));

    /// <summary>Shows rows as a table: a column for each property.</summary>
    /// <typeparam name="T">A record or an anonymous type.</typeparam>
    public static void ShowTable<T>(IEnumerable<T> rows) => Host.Show(ViewOf.Table(rows));

    /// <summary>A bar that shows progress while a cell runs.</summary>
    /// <param name="caption">What is going on.</param>
    /// <returns>Told the finished part, 0..1; removes the bar when it is disposed.</returns>
    public static LiveProgress Progress(string caption) => new(Host, caption);
}
