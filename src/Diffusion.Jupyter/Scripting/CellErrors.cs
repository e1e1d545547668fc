using System.Collections.Immutable;
using Diffusion.Runtime;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Scripting;
using Microsoft.CodeAnalysis.Text;

namespace Diffusion.Jupyter.Scripting;

/// <summary>Exceptions as a notebook shows them: what the compiler says of a cell, or where in it something was thrown.</summary>
internal static class CellErrors
{
    private const string Red = "\u001b[31m",
        Plain = "\u001b[0m";

    /// <summary>The error of a cell.</summary>
    public static CellError Of(Exception e, CancellationToken cancellation) =>
        e switch
        {
            OperationCanceledException when cancellation.IsCancellationRequested => CellError.Interrupted,
            CompilationErrorException compilation => Compilation(compilation.Diagnostics),
            DiffusionException known => new(known.GetType().Name, known.Message, [$"{Red}{known.Message}{Plain}"]),
            _ => new(e.GetType().Name, e.Message, [$"{Red}{e.GetType().Name}{Plain}: {e.Message}", .. Frames(e)]),
        };

    private static CellError Compilation(ImmutableArray<Diagnostic> diagnostics)
    {
        string[] lines =
        [
            .. diagnostics
                .Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error)
                .Select(diagnostic =>
                {
                    LinePosition at = diagnostic.Location.GetLineSpan().StartLinePosition;
                    return $"({at.Line + 1},{at.Character + 1}): {Red}{diagnostic.Id}{Plain}: {diagnostic.GetMessage()}";
                }),
        ];
        return new("CompilationError", diagnostics[0].GetMessage(), lines);
    }

    // What runs cells is of no interest to who wrote them.
    private static IEnumerable<string> Frames(Exception e) =>
        (e.StackTrace ?? "")
            .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .TakeWhile(frame => !frame.Contains("Microsoft.CodeAnalysis.Scripting", StringComparison.Ordinal))
            .Where(frame => !frame.StartsWith("---", StringComparison.Ordinal))
            .Select(frame =>
                frame
                    .Replace("Submission#", "cell ", StringComparison.Ordinal)
                    .Replace(".<<Initialize>>d__0.MoveNext()", "", StringComparison.Ordinal)
            );
}
