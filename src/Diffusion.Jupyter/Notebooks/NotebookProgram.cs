using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Diffusion.Jupyter.Notebooks;

/// <summary>A notebook as a program of one file, <c>dotnet run NAME.cs</c>: prose as comments, usings first, types last.</summary>
/// <remarks>What cells find open, programs find open by <c>notebooks/Directory.Build.props</c>.</remarks>
public static class NotebookProgram
{
    /// <summary>Writes the program.</summary>
    public static string Of(NotebookSource source)
    {
        StringBuilder body = new(),
            types = new();
        SortedSet<string> usings = new(StringComparer.Ordinal);
        foreach (NotebookCell cell in source.Cells)
        {
            body.Append('\n');
            if (!cell.IsCode)
                foreach (string line in cell.Text.Split('\n'))
                    body.Append($"// {line}".TrimEnd()).Append('\n');
            else
                foreach (string text in Statements(cell.Text, usings, types))
                    body.Append(text).Append('\n');
        }
        return "#:project ../src/Diffusion.Interactive\n\n"
            + $"// Written from sources/{source.Name}.md by: diffusion jupyter write notebooks/sources/*.md -o notebooks\n"
            + string.Concat(usings.Select(line => line + "\n"))
            + body
            + types;
    }

    private static IEnumerable<string> Statements(string cell, SortedSet<string> usings, StringBuilder types)
    {
        CompilationUnitSyntax unit = CSharpSyntaxTree.ParseText(cell, new(kind: SourceCodeKind.Script)).GetCompilationUnitRoot();
        foreach (UsingDirectiveSyntax directive in unit.Usings)
            usings.Add(directive.ToString());
        foreach (MemberDeclarationSyntax member in unit.Members)
            if (member is BaseTypeDeclarationSyntax or DelegateDeclarationSyntax)
                types.Append('\n').Append(member.ToFullString().Trim('\n')).Append('\n');
            else
                yield return member.ToFullString().Trim('\n');
    }
}
