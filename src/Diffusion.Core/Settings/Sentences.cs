using System.Collections.Concurrent;
using System.Reflection;

namespace Diffusion.Settings;

/// <summary>
/// Sentences of help, from the XML docs file beside an assembly: read when the first one is asked for, once for each assembly.
/// </summary>
internal static class Sentences
{
    private static readonly ConcurrentDictionary<Assembly, DocumentationFile> Files = new();

    /// <summary>The first sentence of a property's summary, without a full stop; empty where there is none.</summary>
    public static string Of(PropertyInfo property) =>
        First(Docs(property.DeclaringType!).Summary($"{NameOf(property.DeclaringType!)}.{property.Name}"));

    /// <summary>The first sentence about a constructor's parameter, without a full stop; empty where there is none.</summary>
    public static string Of(ParameterInfo argument)
    {
        Type type = argument.Member.DeclaringType!;
        return First(Docs(type).Parameter(NameOf(type), argument.Name!));
    }

    private static string NameOf(Type type) => type.FullName!.Replace('+', '.');

    private static DocumentationFile Docs(Type type) => Files.GetOrAdd(type.Assembly, static a => new DocumentationFile(FileOf(a)));

    private static string FileOf(Assembly assembly) =>
        assembly.Location is { Length: > 0 } dll
            ? Path.ChangeExtension(dll, ".xml")
            : Path.Combine(AppContext.BaseDirectory, assembly.GetName().Name + ".xml");

    private static string First(string text)
    {
        text = text[..EndOfSentence(text)].TrimEnd('.');
        return text.Length > 1 && (char.IsLower(text[1]) || text[1] == ' ') ? char.ToLowerInvariant(text[0]) + text[1..] : text;
    }

    // A full stop before a capital letter ends one.
    private static int EndOfSentence(string text)
    {
        for (int at = 0; (at = text.IndexOf(". ", at, StringComparison.Ordinal)) >= 0; at += 2)
            if (at + 2 < text.Length && char.IsUpper(text[at + 2]))
                return at;
        return text.Length;
    }
}
