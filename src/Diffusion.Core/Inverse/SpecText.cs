using System.Text;
using Diffusion.Runtime;
using Diffusion.Settings;

namespace Diffusion.Inverse;

/// <summary>The grammar of specs: <c>NAME[:KEY=VALUE[,KEY=VALUE]...]</c> joined by <c>|</c>.</summary>
/// <remarks>
/// Only the first <c>:</c> separates the name. A value runs to the next <c>,KEY=</c>, <c>|</c> or the end. Inside double quotes everything
/// is literal but <c>\"</c>, which is a quote;
/// quotes may begin and end anywhere in a value. A first value without a key belongs to the operator's first key.
/// </remarks>
internal static class SpecText
{
    /// <summary>One operator of a spec as it was written.</summary>
    internal sealed record Part(string Name, IReadOnlyList<(string? Key, string Value)> Settings, string Text);

    public static IReadOnlyList<Part> Read(string text)
    {
        List<Part> parts = [];
        int at = 0;
        while (true)
        {
            int start = at;
            while (at < text.Length && text[at] is not (':' or '|'))
                at++;
            string name = text[start..at].Trim();
            if (name.Length == 0)
                throw new OperatorSpecException(
                    "An operator's name is missing",
                    SettingValue.Shorten(text),
                    "Write NAME:KEY=VALUE,... and join operators with |"
                );
            List<(string?, string)> settings = [];
            if (at < text.Length && text[at] == ':')
            {
                at++;
                if (text.AsSpan(at).Trim().Length > 0 && text[SkipSpace(text, at)] != '|')
                {
                    settings.Add(ReadSetting(text, ref at));
                    while (at < text.Length && text[at] == ',')
                    {
                        at++;
                        settings.Add(ReadSetting(text, ref at));
                    }
                }
                else
                    at = SkipSpace(text, at);
            }
            parts.Add(new Part(name, settings, text[start..at].Trim()));
            if (at >= text.Length)
                return parts;
            at++;
        }
    }

    public static string Print(string name, IEnumerable<(string Key, string Value)> settings)
    {
        string text = string.Join(",", settings.Select(s => $"{s.Key}={Quote(s.Value)}"));
        return text.Length == 0 ? name : $"{name}:{text}";
    }

    private static (string? Key, string Value) ReadSetting(string text, ref int at)
    {
        string? key = KeyAt(text, at, out int valueStart);
        at = key is null ? at : valueStart;
        StringBuilder value = new();
        int significant = 0;
        while (at < text.Length)
        {
            char c = text[at];
            if (c == '|' || (c == ',' && KeyAt(text, at + 1, out _) is not null))
                break;
            at++;
            if (c == '"')
            {
                ReadQuoted(text, ref at, value);
                significant = value.Length;
            }
            else if (!char.IsWhiteSpace(c))
            {
                value.Append(c);
                significant = value.Length;
            }
            else if (significant > 0)
                value.Append(c);
        }
        value.Length = significant;
        return (key, value.ToString());
    }

    private static void ReadQuoted(string text, ref int at, StringBuilder value)
    {
        int opened = at - 1;
        for (; at < text.Length; at++)
        {
            if (text[at] == '"')
            {
                at++;
                return;
            }
            if (text[at] == '\\' && at + 1 < text.Length && text[at + 1] == '"')
                at++;
            value.Append(text[at]);
        }
        throw new OperatorSpecException(
            "A double quote is not closed",
            SettingValue.Shorten(text[opened..]),
            "Close it with \"; inside quotes a quote is written \\\""
        );
    }

    // KEY followed by =, with blanks around either.
    private static string? KeyAt(string text, int at, out int valueStart)
    {
        int start = valueStart = SkipSpace(text, at),
            end = start;
        while (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || text[end] is '_' or '-'))
            end++;
        if (end == start || char.IsAsciiDigit(text[start]))
            return null;
        int equals = SkipSpace(text, end);
        if (equals >= text.Length || text[equals] != '=')
            return null;
        valueStart = equals + 1;
        return text[start..end];
    }

    private static int SkipSpace(string text, int at)
    {
        while (at < text.Length && char.IsWhiteSpace(text[at]))
            at++;
        return at;
    }

    private static string Quote(string value)
    {
        bool plain = value.Length > 0 && value.AsSpan().Trim().Length == value.Length && !value.AsSpan().ContainsAny('"', '|');
        for (int i = 0; plain && i < value.Length; i++)
            plain = value[i] != ',' || KeyAt(value, i + 1, out _) is null;
        if (plain)
            return value;
        StringBuilder text = new("\"");
        for (int i = 0; i < value.Length; i++)
        {
            // A backslash before a quote would escape it: a run of them that ends there is written outside of the quotes, where it is
            // literal.
            int end = i;
            while (end < value.Length && value[end] == '\\')
                end++;
            bool beforeQuote = end == value.Length || value[end] == '"';
            text.Append(
                value[i] switch
                {
                    '"' => "\\\"",
                    '\\' when beforeQuote => "\"\\\"",
                    char c => c.ToString(),
                }
            );
        }
        return text.Append('"').ToString();
    }
}
