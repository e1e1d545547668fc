using System.Net;

namespace Diffusion.Interactive;

/// <summary>
/// .NET Interactive recognizes an attribute of this name, whatever library it is from, and asks the named type for formatters.
/// </summary>
/// <param name="formatterSourceType">Has a method <c>CreateTypeFormatters</c>.</param>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class TypeFormatterSourceAttribute(Type formatterSourceType) : Attribute
{
    /// <summary>What makes the formatters.</summary>
    public Type FormatterSourceType { get; } = formatterSourceType;

    /// <summary>The form that is shown where there are several.</summary>
    public string[] PreferredMimeTypes { get; set; } = [ViewFormatter.Html];
}

/// <summary>What .NET Interactive asks for formatters, by the names of its members.</summary>
internal sealed class ViewFormatters
{
    /// <summary>The formatters of a <see cref="View"/>.</summary>
    public IEnumerable<object> CreateTypeFormatters() => [new ViewFormatter(ViewFormatter.Html), new ViewFormatter("text/plain")];
}

/// <summary>Writes a <see cref="View"/> for .NET Interactive, which finds the members by their names.</summary>
internal sealed class ViewFormatter(string mimeType)
{
    internal const string Html = "text/html";

    /// <summary>The form that it writes.</summary>
    public string MimeType { get; } = mimeType;

    /// <summary>Writes a view; false where it is none.</summary>
    public bool Format(object instance, TextWriter writer)
    {
        if (instance is not View view)
            return false;
        writer.Write(MimeType == Html ? view.Html ?? $"<pre>{WebUtility.HtmlEncode(view.Text)}</pre>" : view.Text);
        return true;
    }
}
