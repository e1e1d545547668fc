using System.Xml.Linq;
using Microsoft.CodeAnalysis;

namespace Diffusion.Jupyter.Scripting;

/// <summary>What the name at a cursor is, with the sentences of its documentation.</summary>
internal static class Inspection
{
    private static readonly Dictionary<string, Dictionary<string, XElement>> Files = [];

    /// <summary>The name's declaration and documentation; null: there is no name, or it is not known.</summary>
    public static string? At(SemanticModel model, int cursor)
    {
        SyntaxNode root = model.SyntaxTree.GetRoot();
        if (root.FullSpan.IsEmpty)
            return null;
        SyntaxToken token = root.FindToken(Math.Clamp(cursor, 0, root.FullSpan.End - 1));
        if (token.SpanStart == cursor && !token.GetPreviousToken().Span.IsEmpty && token.GetPreviousToken().Span.End == cursor)
            token = token.GetPreviousToken();
        ISymbol? symbol = token.Parent is null
            ? null
            : model.GetSymbolInfo(token.Parent).Symbol
                ?? model.GetSymbolInfo(token.Parent).CandidateSymbols.FirstOrDefault()
                ?? model.GetDeclaredSymbol(token.Parent);
        if (symbol is null)
            return null;
        string declaration = symbol.ToDisplayString(
            SymbolDisplayFormat.CSharpErrorMessageFormat.WithMemberOptions(
                SymbolDisplayMemberOptions.IncludeParameters
                    | SymbolDisplayMemberOptions.IncludeType
                    | SymbolDisplayMemberOptions.IncludeContainingType
            )
        );
        string? type = symbol switch
        {
            ILocalSymbol local => local.Type.ToDisplayString(),
            IFieldSymbol field => field.Type.ToDisplayString(),
            _ => null,
        };
        return string.Join(
            "\n\n",
            ((string?[])[type is null ? declaration : $"{type} {symbol.Name}", Documentation(symbol)]).OfType<string>()
        );
    }

    private static string? Documentation(ISymbol symbol)
    {
        if (
            symbol.GetDocumentationCommentId() is not { } id
            || FileOf(symbol) is not { } file
            || !Members(file).TryGetValue(id, out XElement? member)
        )
            return null;
        IEnumerable<string> parts = member
            .Elements()
            .Where(part => part.Name.LocalName is "summary" or "param" or "returns" or "exception")
            .Select(part =>
                part.Name.LocalName switch
                {
                    "summary" => Plain(part),
                    "param" => $"{part.Attribute("name")?.Value}: {Plain(part)}",
                    "exception" => $"throws {Short(part.Attribute("cref")?.Value)}: {Plain(part)}",
                    string name => $"{name}: {Plain(part)}",
                }
            );
        return string.Join('\n', parts);
    }

    private static string? FileOf(ISymbol symbol)
    {
        string? library = OpenLibraries.References.FirstOrDefault(path =>
            Path.GetFileNameWithoutExtension(path) == symbol.ContainingAssembly?.Name
        );
        string? docs = library is null ? null : Path.ChangeExtension(library, ".xml");
        return File.Exists(docs) ? docs : null;
    }

    private static Dictionary<string, XElement> Members(string file) =>
        Files.TryGetValue(file, out Dictionary<string, XElement>? members)
            ? members
            : Files[file] = XDocument
                .Load(file)
                .Descendants("member")
                .Where(member => member.Attribute("name") is not null)
                .GroupBy(member => member.Attribute("name")!.Value)
                .ToDictionary(group => group.Key, group => group.First());

    private static string Plain(XElement part) =>
        string.Join(' ', string.Concat(part.DescendantNodes().Select(Text)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static string Text(XNode node) =>
        node switch
        {
            XText text => text.Value,
            XElement element when (element.Attribute("cref") ?? element.Attribute("name") ?? element.Attribute("langword")) is { } name =>
                Short(name.Value),
            _ => "",
        };

    private static string Short(string? id) => id?[(id.LastIndexOf('.') + 1)..].TrimStart('T', ':') ?? "";
}
