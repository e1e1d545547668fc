using System.Text;

namespace Diffusion.Restoration;

/// <summary>Lines of comma-separated values (RFC 4180), one record a line.</summary>
internal static class Csv
{
    /// <summary>One line, without its end. Line breaks inside a value become spaces, so that a record never spans lines.</summary>
    public static string Line(IEnumerable<string> fields) => string.Join(',', fields.Select(Quote));

    /// <summary>The fields of a line.</summary>
    public static IReadOnlyList<string> Fields(string line)
    {
        List<string> fields = [];
        StringBuilder field = new();
        bool quoted = false;
        for (int i = 0; i < line.Length; i++)
        {
            char c = line[i];
            if (quoted && c == '"' && i + 1 < line.Length && line[i + 1] == '"')
                field.Append(line[i++]);
            else if (c == '"')
                quoted = !quoted;
            else if (c == ',' && !quoted)
            {
                fields.Add(field.ToString());
                field.Clear();
            }
            else
                field.Append(c);
        }
        fields.Add(field.ToString());
        return fields;
    }

    private static string Quote(string value)
    {
        string line = value.ReplaceLineEndings(" ");
        return line.AsSpan().IndexOfAny(",\"") < 0 ? line : $"\"{line.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
