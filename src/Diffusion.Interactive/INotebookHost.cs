namespace Diffusion.Interactive;

/// <summary>Where views go: a notebook's kernel, or a terminal.</summary>
public interface INotebookHost
{
    /// <summary>Cancelled when the cell that runs is interrupted.</summary>
    CancellationToken Cancellation { get; }

    /// <summary>Shows a view below the cell that runs.</summary>
    void Show(View view);

    /// <summary>Shows a view that changes while the cell runs.</summary>
    /// <returns>Replaces it.</returns>
    Action<View> ShowLive(View view);
}
