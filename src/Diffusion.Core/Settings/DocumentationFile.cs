using System.Net;
using System.Text;

namespace Diffusion.Settings;

/// <summary>
/// The XML docs file that the compiler writes beside an assembly, scanned forward as the text that the compiler makes: loading the
/// framework's XML reader took longer than a list of operators.
/// </summary>
internal sealed class DocumentationFile
{
    private const string Member = "<member name=\"",
        MemberEnd = "</member>";

    private readonly string _text;
    private readonly Dictionary<string, Range> _members = new(StringComparer.Ordinal);

    /// <summary>Reads a file; one that is missing or cannot be read holds nothing: help without sentences is better than none.</summary>
    /// <param name="file">The file.</param>
    public DocumentationFile(string file)
    {
        try
        {
            _text = File.Exists(file) ? File.ReadAllText(file) : "";
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            _text = "";
        }
        Find();
    }

    /// <summary>The summary of a property; empty where there is none.</summary>
    /// <param name="property">Its id without the letter: NAMESPACE.TYPE.NAME.</param>
    public string Summary(string property) => Of("P:" + property, "<summary>", "</summary>");

    /// <summary>
    /// What is said about a parameter of a type's constructor, with the type or with the constructor; empty where nothing is.
    /// </summary>
    /// <param name="type">The type's id without the letter.</param>
    /// <param name="parameter">The parameter.</param>
    public string Parameter(string type, string parameter)
    {
        string open = $"<param name=\"{parameter}\">";
        return Of("T:" + type, open, "</param>") is { Length: > 0 } text ? text : Of($"M:{type}.#ctor", open, "</param>");
    }

    // Only what can be asked for is remembered: properties, types, and constructors under an id without their parameters.
    private void Find()
    {
        for (int at = 0; (at = _text.IndexOf(Member, at, StringComparison.Ordinal)) >= 0; )
        {
            int name = at + Member.Length,
                end = _text.IndexOf('"', name),
                close = end < 0 ? -1 : _text.IndexOf(MemberEnd, end, StringComparison.Ordinal);
            if (close < 0)
                return;
            ReadOnlySpan<char> id = _text.AsSpan(name, end - name);
            bool constructs = id[0] == 'M' && id.Contains(".#ctor", StringComparison.Ordinal);
            if (id[0] is 'P' or 'T' || constructs)
                _members.TryAdd((constructs && id.IndexOf('(') is > 0 and var open ? id[..open] : id).ToString(), end..close);
            at = close;
        }
    }

    private string Of(string member, string open, string close)
    {
        if (!_members.TryGetValue(member, out Range range))
            return "";
        ReadOnlySpan<char> docs = _text.AsSpan(range);
        int start = docs.IndexOf(open, StringComparison.Ordinal);
        if (start < 0)
            return "";
        docs = docs[(start + open.Length)..];
        int end = docs.IndexOf(close, StringComparison.Ordinal);
        return end < 0 ? "" : Plain(docs[..end]);
    }

    // The text in one line: names for references, nothing for other elements.
    private static string Plain(ReadOnlySpan<char> docs)
    {
        StringBuilder text = new();
        while (docs.IndexOf('<') is >= 0 and var open && docs[open..].IndexOf('>') is > 0 and var length)
        {
            text.Append(WebUtility.HtmlDecode(docs[..open].ToString()));
            text.Append(Referred(docs[(open + 1)..(open + length)]));
            docs = docs[(open + length + 1)..];
        }
        text.Append(WebUtility.HtmlDecode(docs.ToString()));
        return string.Join(' ', text.ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
    }

    // Settings and their values are called what users call them.
    private static string Referred(ReadOnlySpan<char> element)
    {
        if (Attribute(element, "cref") is { } cref)
        {
            string name = cref.Split('(')[0];
            name = name[(name.LastIndexOf('.') + 1)..];
            return cref[0] is 'P' or 'F' ? SettingName.Of(name) : name;
        }
        return element.StartsWith("paramref", StringComparison.Ordinal)
            ? SettingName.Of(Attribute(element, "name") ?? "")
            : Attribute(element, "langword") ?? "";
    }

    private static string? Attribute(ReadOnlySpan<char> element, string name)
    {
        int at = element.IndexOf($" {name}=\"", StringComparison.Ordinal);
        if (at < 0)
            return null;
        ReadOnlySpan<char> value = element[(at + name.Length + 3)..];
        return value.IndexOf('"') is > 0 and var end ? value[..end].ToString() : null;
    }
}
