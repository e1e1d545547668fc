namespace Diffusion.Jupyter.Scripting;

/// <summary>What came of a cell.</summary>
/// <param name="Value">The value of its last expression; null: none.</param>
/// <param name="Error">Why it ended early; null: it did not.</param>
internal sealed record CellResult(object? Value, CellError? Error);

/// <summary>An error as front ends show it.</summary>
/// <param name="Name">Its kind.</param>
/// <param name="Message">What it says.</param>
/// <param name="Lines">All lines to be shown.</param>
internal sealed record CellError(string Name, string Message, IReadOnlyList<string> Lines)
{
    /// <summary>A cell that was interrupted.</summary>
    public static CellError Interrupted { get; } = new("Interrupted", "The cell was interrupted.", ["Interrupted."]);
}
