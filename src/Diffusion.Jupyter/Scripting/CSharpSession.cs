using System.Runtime;
using Diffusion.Runtime;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Scripting;
using Microsoft.CodeAnalysis.Scripting;
using Microsoft.CodeAnalysis.Scripting.Hosting;

namespace Diffusion.Jupyter.Scripting;

/// <summary>C# cell by cell: each sees what the ones before it declared. Cells run on the thread that calls <see cref="Run"/>.</summary>
internal sealed class CSharpSession
{
    private static readonly CSharpParseOptions Syntax = new(LanguageVersion.Latest, kind: SourceCodeKind.Script);

    private readonly CellThread _thread = new();
    private readonly InteractiveAssemblyLoader _loader = new();
    private readonly ScriptOptions _options = ScriptOptions
        .Default.WithLanguageVersion(LanguageVersion.Latest)
        .WithReferences(OpenLibraries.References)
        .WithMetadataResolver(new CellReferences())
        .WithImports(OpenLibraries.Namespaces)
        .WithAllowUnsafe(true);
    private Script<object>? _script;
    private ScriptState<object>? _state;

    /// <summary>Runs a cell.</summary>
    /// <param name="code">The cell.</param>
    /// <param name="cancellation">Interrupts it, wherever managed code is.</param>
    public CellResult Run(string code, CancellationToken cancellation)
    {
        Script<object> script = Next(code);
        try
        {
            ScriptState<object>? after = null;
#pragma warning disable SYSLIB0046 // User code that asks no token must end, too: what the method is for.
            ControlledExecution.Run(() => after = _thread.Run(() => Start(script, cancellation)), cancellation);
#pragma warning restore SYSLIB0046
            (_script, _state) = (script, after!);
            return after!.Exception is { } e ? new(null, CellErrors.Of(e, cancellation)) : new(after.ReturnValue, null);
        }
        catch (Exception e)
        {
            return new(null, CellErrors.Of(e, cancellation));
        }
    }

    /// <summary>Whether a front end should run what was typed, or wait for more.</summary>
    /// <returns><c>complete</c>, <c>incomplete</c> or <c>invalid</c>.</returns>
    public static string Completeness(string code)
    {
        SyntaxTree tree = CSharpSyntaxTree.ParseText(code, Syntax);
        return !SyntaxFactory.IsCompleteSubmission(tree) ? "incomplete"
            : tree.GetDiagnostics().Any(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error) ? "invalid"
            : "complete";
    }

    /// <summary>The compiler's view of a cell after those that ran, to ask it what a name means.</summary>
    public SemanticModel Model(string code)
    {
        Compilation compilation = Next(code).GetCompilation();
        return compilation.GetSemanticModel(compilation.SyntaxTrees.Last());
    }

    private Script<object> Next(string code) =>
        (_script ?? CSharpScript.Create<object>(OpenLibraries.Aliases, _options, assemblyLoader: _loader)).ContinueWith<object>(
            code,
            _options
        );

    private Task<ScriptState<object>> Start(Script<object> script, CancellationToken cancellation) =>
        _state is null
            ? script.RunAsync(catchException: static _ => true, cancellationToken: cancellation)
            : script.RunFromAsync(_state, static _ => true, cancellation);
}
