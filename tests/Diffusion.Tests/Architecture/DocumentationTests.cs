using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Diffusion.Tests.Architecture;

/// <summary>
/// What a rule can see of the documentation of public methods: those that take or return tensors state a shape and an owner, those that
/// throw
/// say what. (That public members are documented at all is an error of the compiler.)
/// </summary>
public sealed partial class DocumentationTests
{
    /// <summary>These mark a fault of the program, not of its caller.</summary>
    private static readonly string[] Undocumented = ["InvalidOperationException", "UnreachableException", "Exception"];

    private static readonly (string Place, IMethodSymbol Method, BaseMethodDeclarationSyntax Syntax, SemanticModel Model)[] Methods =
    [
        .. from tree in SourceProgram.House.Trees
        where !tree.FilePath.StartsWith("src/Diffusion.Cli/", StringComparison.Ordinal)
        let model = SourceProgram.House.ModelOf(tree)
        from syntax in tree.GetRoot().DescendantNodes().OfType<BaseMethodDeclarationSyntax>()
        let method = model.GetDeclaredSymbol(syntax) as IMethodSymbol
        where method is not null && IsPublic(method) && !DocumentOf(method).Contains("<inheritdoc", StringComparison.Ordinal)
        select (
            $"{tree.FilePath}:{syntax.ParameterList.GetLocation().GetLineSpan().StartLinePosition.Line + 1} {method.Name}",
            method,
            syntax,
            model
        ),
    ];

    [Fact]
    public void Methods_that_take_or_return_tensors_state_a_shape() =>
        AssertNone(
            "Write the shape of each tensor in brackets, as in [N,C,H,W]",
            Methods
                .Where(m => HoldsTensor(m.Method.ReturnType) || m.Method.Parameters.Any(parameter => HoldsTensor(parameter.Type)))
                .Where(m => !Brackets().IsMatch(DocumentOf(m.Method) + DocumentOf(m.Method.ContainingType)))
                .Select(m => m.Place)
        );

    [Fact]
    public void Methods_that_return_tensors_say_who_owns_them() =>
        AssertNone(
            "Say who owns the returned tensor, as in \"the caller owns it\"",
            Methods
                .Where(m => HoldsTensor(m.Method.ReturnType))
                .Where(m => !Owner().IsMatch(DocumentOf(m.Method) + DocumentOf(m.Method.ContainingType)))
                .Select(m => m.Place)
        );

    [Fact]
    public void Methods_that_throw_say_what() =>
        AssertNone(
            "Add an <exception> element",
            from m in Methods
            from thrown in Thrown(m.Syntax, m.Model).Except(Undocumented).Distinct()
            where !DocumentOf(m.Method).Contains($"<exception cref=\"{thrown}\"", StringComparison.Ordinal)
            select $"{m.Place}: {thrown}"
        );

    /// <summary>The exceptions that a method's own body throws, but not those that it catches itself.</summary>
    private static IEnumerable<string> Thrown(BaseMethodDeclarationSyntax method, SemanticModel model) =>
        from node in method.DescendantNodes(node =>
            node is not (AnonymousFunctionExpressionSyntax or LocalFunctionStatementSyntax or TryStatementSyntax { Catches.Count: > 0 })
        )
        let thrown = node is ThrowStatementSyntax statement ? statement.Expression : (node as ThrowExpressionSyntax)?.Expression
        where thrown is not null
        let type = model.GetTypeInfo(thrown).Type
        where type is not null
        select type.Name;

    private static bool IsPublic(ISymbol symbol)
    {
        for (ISymbol? part = symbol; part is not null and not INamespaceSymbol; part = part.ContainingSymbol)
            if (part.DeclaredAccessibility is not (Accessibility.Public or Accessibility.Protected or Accessibility.ProtectedOrInternal))
                return false;
        return true;
    }

    private static bool HoldsTensor(ITypeSymbol type) =>
        type.Name == "Tensor"
        || (type is IArrayTypeSymbol array && HoldsTensor(array.ElementType))
        || (type is INamedTypeSymbol { IsGenericType: true } generic && generic.TypeArguments.Any(HoldsTensor));

    private static string DocumentOf(ISymbol symbol) =>
        string.Concat(
            symbol
                .DeclaringSyntaxReferences.Select(reference => reference.GetSyntax())
                .SelectMany(node => node.GetLeadingTrivia())
                .Where(trivia => trivia.HasStructure)
                .Select(trivia => trivia.ToFullString())
        );

    private static void AssertNone(string remedy, IEnumerable<string> places)
    {
        string[] wrong = [.. places];
        Assert.True(wrong.Length == 0, $"{remedy}:\n{string.Join('\n', wrong)}");
    }

    [GeneratedRegex(@"\[[^\]]*\]")]
    private static partial Regex Brackets();

    [GeneratedRegex(@"\b(own|owns|owned|belongs?|shares|view)\b")]
    private static partial Regex Owner();
}
