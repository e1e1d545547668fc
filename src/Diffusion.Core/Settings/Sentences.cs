using System.Collections.Concurrent;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml;

namespace Diffusion.Settings;

/// <summary>
/// Sentences of help, from the XML docs file that the compiler writes beside an assembly: read when the first one is asked for, once for
/// each assembly.
/// </summary>
internal static partial class Sentences
{
    private static readonly ConcurrentDictionary<Assembly, IReadOnlyDictionary<string, string>> Cache = new();

    /// <summary>The first sentence of a property's summary, without a full stop; empty where there is none.</summary>
    public static string Of(PropertyInfo property) =>
        First(Docs(property.DeclaringType!.Assembly).GetValueOrDefault($"P:{NameOf(property.DeclaringType!)}.{property.Name}", ""));

    /// <summary>The first sentence about a constructor's parameter, without a full stop; empty where there is none.</summary>
    public static string Of(ParameterInfo argument)
    {
        Type type = argument.Member.DeclaringType!;
        return First(Docs(type.Assembly).GetValueOrDefault($"{NameOf(type)}({argument.Name})", ""));
    }

    private static string NameOf(Type type) => type.FullName!.Replace('+', '.');

    private static IReadOnlyDictionary<string, string> Docs(Assembly assembly) => Cache.GetOrAdd(assembly, static a => Read(FileOf(a)));

    private static string FileOf(Assembly assembly) =>
        assembly.Location is { Length: > 0 } dll
            ? Path.ChangeExtension(dll, ".xml")
            : Path.Combine(AppContext.BaseDirectory, assembly.GetName().Name + ".xml");

    // Properties by their id (P:Namespace.Type.Name), parameters of constructors by TYPE(NAME).
    private static Dictionary<string, string> Read(string file)
    {
        Dictionary<string, string> docs = new(StringComparer.Ordinal);
        if (!File.Exists(file))
            return docs;
        try
        {
            using XmlReader reader = XmlReader.Create(file, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit });
            string member = "";
            while (!reader.EOF)
            {
                if (reader.NodeType != XmlNodeType.Element)
                    reader.Read();
                else if (reader.Name == "member")
                {
                    member = reader.GetAttribute("name") ?? "";
                    reader.Read();
                }
                else if (reader.Name == "summary" && member.StartsWith("P:", StringComparison.Ordinal))
                    docs[member] = Text(reader);
                else if (reader.Name == "param" && ConstructedType(member) is { } type)
                {
                    string key = $"{type}({reader.GetAttribute("name")})";
                    docs.TryAdd(key, Text(reader));
                }
                else
                    reader.Read();
            }
        }
        catch (Exception failed) when (failed is XmlException or IOException or UnauthorizedAccessException)
        {
            return docs; // help without sentences is better than none
        }
        return docs;
    }

    // The docs of a primary constructor stand with its type.
    private static string? ConstructedType(string member) =>
        member.StartsWith("T:", StringComparison.Ordinal) ? member[2..]
        : member.StartsWith("M:", StringComparison.Ordinal) && member.IndexOf(".#ctor", StringComparison.Ordinal) is > 0 and var end
            ? member[2..end]
        : null;

    // The text of an element, with names for references, in one line; leaves the reader behind the element.
    private static string Text(XmlReader reader)
    {
        StringBuilder text = new();
        if (!reader.IsEmptyElement)
        {
            int depth = reader.Depth;
            while (reader.Read() && reader.Depth > depth)
                text.Append(
                    reader.NodeType switch
                    {
                        XmlNodeType.Text or XmlNodeType.Whitespace or XmlNodeType.SignificantWhitespace => reader.Value,
                        XmlNodeType.Element when reader.GetAttribute("cref") is { } cref => Referred(cref),
                        XmlNodeType.Element when reader.Name == "paramref" => SettingName.Of(reader.GetAttribute("name") ?? ""),
                        XmlNodeType.Element => reader.GetAttribute("langword") ?? "",
                        _ => "",
                    }
                );
        }
        reader.Read();
        return Blanks().Replace(text.ToString(), " ").Trim();
    }

    // Settings and their values are called what users call them.
    private static string Referred(string cref)
    {
        string name = cref.Split('(')[0];
        name = name[(name.LastIndexOf('.') + 1)..];
        return cref[0] is 'P' or 'F' ? SettingName.Of(name) : name;
    }

    private static string First(string text)
    {
        Match end = SentenceEnd().Match(text);
        text = (end.Success ? text[..end.Index] : text).TrimEnd('.');
        return text.Length > 1 && (char.IsLower(text[1]) || text[1] == ' ') ? char.ToLowerInvariant(text[0]) + text[1..] : text;
    }

    [GeneratedRegex(@"\.\s+(?=\p{Lu})")]
    private static partial Regex SentenceEnd();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
