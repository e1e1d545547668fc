using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Diffusion.Tests.Architecture;

/// <summary>
/// Which folder uses which: an arrow goes from the folder of a file to the folder that declares a type or member which the file names, as
/// the compiler understands it (not by its usings). A folder and its sub-folder are two rooms.
/// </summary>
internal sealed class FolderGraph
{
    /// <summary>One arrow, with a file and a name as its example.</summary>
    public sealed record Arrow(string From, string To, string Example)
    {
        /// <inheritdoc/>
        public override string ToString() => $"{From} -> {To}";
    }

    private readonly Dictionary<(string From, string To), Arrow> _arrows = [];

    private FolderGraph(IEnumerable<string> rooms, IEnumerable<Arrow> arrows)
    {
        Rooms = [.. rooms.Distinct().Order(StringComparer.Ordinal)];
        foreach (Arrow arrow in arrows.OrderBy(arrow => arrow.Example, StringComparer.Ordinal))
            _arrows.TryAdd((arrow.From, arrow.To), arrow);
    }

    /// <summary>Every folder that holds a file.</summary>
    public IReadOnlyList<string> Rooms { get; }

    /// <summary>Every arrow between two rooms, once.</summary>
    public IReadOnlyCollection<Arrow> Arrows => _arrows.Values;

    /// <summary>The same rooms without some arrows.</summary>
    public FolderGraph Without(IEnumerable<string> arrows)
    {
        HashSet<string> left = [.. arrows];
        return new FolderGraph(Rooms, Arrows.Where(arrow => !left.Contains(arrow.ToString())));
    }

    /// <summary>What a room uses.</summary>
    public IEnumerable<string> Uses(string room) => Arrows.Where(arrow => arrow.From == room).Select(arrow => arrow.To);

    /// <summary>The groups of rooms that reach each other, the largest groups first.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Circles()
    {
        Dictionary<string, HashSet<string>> reached = Rooms.ToDictionary(room => room, Reached);
        return
        [
            .. Rooms
                .Where(room => reached[room].Contains(room))
                .GroupBy(room =>
                    string.Join(' ', reached[room].Where(other => reached[other].Contains(room)).Order(StringComparer.Ordinal))
                )
                .Select(group => (IReadOnlyList<string>)[.. group])
                .OrderByDescending(group => group.Count),
        ];
    }

    /// <summary>The rooms from the bottom up, each with what it uses.</summary>
    public string Describe(Func<string, int> level) =>
        string.Join(
            '\n',
            Rooms
                .OrderBy(room => level(room))
                .ThenBy(room => Reached(room).Count)
                .ThenBy(room => room, StringComparer.Ordinal)
                .Select(room => $"{room, -34} {string.Join(", ", Uses(room).OrderBy(level).ThenBy(used => used, StringComparer.Ordinal))}")
        );

    private HashSet<string> Reached(string room)
    {
        HashSet<string> reached = [];
        Stack<string> open = new(Uses(room));
        while (open.TryPop(out string? next))
            if (reached.Add(next))
                foreach (string used in Uses(next))
                    open.Push(used);
        return reached;
    }

    /// <summary>The graph of a program's sources.</summary>
    public static FolderGraph Of(SourceProgram program) =>
        new(
            program.Trees.Select(tree => RoomOf(tree.FilePath)),
            program.Trees.AsParallel().SelectMany(tree => ArrowsOf(tree, program.ModelOf(tree)).ToArray())
        );

    private static IEnumerable<Arrow> ArrowsOf(SyntaxTree tree, SemanticModel model)
    {
        string room = RoomOf(tree.FilePath);
        HashSet<string> seen = [room];
        foreach (SyntaxNode node in tree.GetRoot().DescendantNodes())
        {
            if (node is not (SimpleNameSyntax or ImplicitObjectCreationExpressionSyntax))
                continue;
            SymbolInfo found = model.GetSymbolInfo(node);
            ISymbol? symbol = found.Symbol ?? found.CandidateSymbols.FirstOrDefault();
            if (symbol is null or INamespaceSymbol or IAliasSymbol { Target: INamespaceSymbol })
                continue;
            foreach (SyntaxReference declared in symbol.OriginalDefinition.DeclaringSyntaxReferences)
                if (declared.SyntaxTree.FilePath is { Length: > 0 } path && RoomOf(path) is var used && seen.Add(used))
                    yield return new Arrow(room, used, $"{tree.FilePath} names {symbol.ToDisplayString()}");
        }
    }

    /// <summary><c>src/Diffusion.Core/Networks/Layers/Linear.cs</c> lies in <c>Core/Networks/Layers</c>.</summary>
    private static string RoomOf(string file)
    {
        string folder = Path.GetDirectoryName(file)!.Replace('\\', '/');
        folder = folder.Replace("src/Diffusion.", "", StringComparison.Ordinal).Replace("tests/", "", StringComparison.Ordinal);
        return char.ToUpperInvariant(folder[0]) + folder[1..];
    }
}
