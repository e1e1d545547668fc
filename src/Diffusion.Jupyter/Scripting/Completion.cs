using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Diffusion.Jupyter.Scripting;

/// <summary>What may stand at the cursor.</summary>
/// <param name="Names">In order.</param>
/// <param name="Start">Where what they replace begins.</param>
/// <param name="End">Where it ends.</param>
internal sealed record Completion(IReadOnlyList<string> Names, int Start, int End)
{
    private static readonly string[] Keywords =
    [
        .. SyntaxFacts.GetKeywordKinds().Select(SyntaxFacts.GetText).Where(word => word.Length > 1 && char.IsLower(word[0])).Distinct(),
    ];

    /// <summary>
    /// Completes the name at the cursor: members after a dot, settable members in an initializer, else all that is in scope.
    /// </summary>
    public static Completion At(SemanticModel model, int cursor)
    {
        string text = model.SyntaxTree.ToString();
        int start = cursor;
        while (start > 0 && SyntaxFacts.IsIdentifierPartCharacter(text[start - 1]))
            start--;
        string typed = text[start..cursor];
        IEnumerable<string> names = Candidates(model, start)
            .Where(symbol => symbol.CanBeReferencedByName && !symbol.IsImplicitlyDeclared)
            .Select(symbol => symbol.Name);
        SyntaxToken before = Before(model, start);
        if (!before.IsKind(SyntaxKind.DotToken) && Initialized(before) is null)
            names = names.Concat(Keywords);
        return new(
            [
                .. names
                    .Where(name => name.StartsWith(typed, StringComparison.OrdinalIgnoreCase))
                    .Distinct()
                    .Order(StringComparer.OrdinalIgnoreCase),
            ],
            start,
            cursor
        );
    }

    private static SyntaxToken Before(SemanticModel model, int position) =>
        position == 0 ? default
        : model.SyntaxTree.GetRoot().FindToken(position - 1) is var token && token.Span.IsEmpty ? token.GetPreviousToken()
        : Nearest(model, position);

    private static SyntaxToken Nearest(SemanticModel model, int position)
    {
        SyntaxToken token = model.SyntaxTree.GetRoot().FindToken(position - 1);
        return token.SpanStart < position ? token : token.GetPreviousToken();
    }

    private static IEnumerable<ISymbol> Candidates(SemanticModel model, int position)
    {
        SyntaxToken before = Before(model, position);
        if (Initialized(before) is { } creation)
            return Settable(model.GetTypeInfo(creation).Type);
        ExpressionSyntax? left = !before.IsKind(SyntaxKind.DotToken)
            ? null
            : before.Parent switch
            {
                MemberAccessExpressionSyntax access => access.Expression,
                QualifiedNameSyntax name => name.Left,
                MemberBindingExpressionSyntax { Parent: ConditionalAccessExpressionSyntax conditional } => conditional.Expression,
                _ => null,
            };
        if (left is null)
            return model.LookupSymbols(position);
        if (model.GetSymbolInfo(left).Symbol is INamespaceOrTypeSymbol container)
            return model
                .LookupSymbols(position, container)
                .Where(symbol => container is INamespaceSymbol || symbol.IsStatic || symbol is ITypeSymbol);
        return model.GetTypeInfo(left).Type is { } type
            ? model
                .LookupSymbols(position, type, includeReducedExtensionMethods: true)
                .Where(symbol => !symbol.IsStatic || symbol is IMethodSymbol { ReducedFrom: not null })
            : [];
    }

    private static BaseObjectCreationExpressionSyntax? Initialized(SyntaxToken before) =>
        before.IsKind(SyntaxKind.OpenBraceToken) || before.IsKind(SyntaxKind.CommaToken)
            ? (before.Parent as InitializerExpressionSyntax)?.Parent as BaseObjectCreationExpressionSyntax
            : null;

    private static IEnumerable<ISymbol> Settable(ITypeSymbol? type)
    {
        for (; type is not null; type = type.BaseType)
            foreach (ISymbol member in type.GetMembers())
                if (member is IPropertySymbol { SetMethod.DeclaredAccessibility: Accessibility.Public, IsStatic: false, IsIndexer: false })
                    yield return member;
    }
}
