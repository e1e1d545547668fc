using System.Net;

namespace Diffusion.Interactive;

/// <summary>
/// The pieces of HTML that views are made of. They take the page's colours, light or dark, and need nothing from elsewhere.
/// </summary>
internal static class Html
{
    /// <summary>Text as text.</summary>
    public static string Encode(string text) => WebUtility.HtmlEncode(text);

    /// <summary>A picture with its caption.</summary>
    public static string Figure(EncodedTensor picture, string? caption)
    {
        (int width, int height) = picture.Shown;
        string pixelated = width > picture.Width ? ";image-rendering:pixelated" : "",
            below = string.IsNullOrEmpty(caption) ? "" : $"<figcaption>{Encode(caption)}</figcaption>";
        return $"<figure style=\"display:inline-block;margin:4px;text-align:center\"><img src=\"{picture.Address}\" "
            + $"alt=\"{Encode(caption ?? "picture")}\" width=\"{width}\" height=\"{height}\" style=\"max-width:100%{pixelated}\">"
            + $"{below}</figure>";
    }

    /// <summary>Pieces side by side, in further rows where there is no room.</summary>
    public static string Row(IEnumerable<string> pieces) =>
        $"<div style=\"display:flex;flex-wrap:wrap;align-items:flex-end\">{string.Concat(pieces)}</div>";

    /// <summary>Two pictures of one size with a divider: the slider moves it, and the browser's own style draws it.</summary>
    public static string Slider(EncodedTensor before, EncodedTensor after, string left, string right)
    {
        string size = $"width:{after.Width}px;max-width:100%;aspect-ratio:{after.Width}/{after.Height}";
        const string Fill = "position:absolute;inset:0;width:100%;height:100%";
        return $"<div style=\"display:inline-block\"><div style=\"position:relative;{size}\">"
            + $"<img src=\"{after.Address}\" alt=\"{Encode(right)}\" style=\"{Fill}\">"
            + $"<img src=\"{before.Address}\" alt=\"{Encode(left)}\" style=\"{Fill};clip-path:inset(0 50% 0 0)\">"
            + "<input type=\"range\" min=\"0\" max=\"100\" value=\"50\" aria-label=\"divider\" "
            + $"oninput=\"this.previousElementSibling.style.clipPath='inset(0 '+(100-this.value)+'% 0 0)'\" style=\"{Fill};margin:0;"
            + "background:transparent;cursor:ew-resize;-webkit-appearance:none;appearance:none\"></div>"
            + "<div style=\"display:flex;justify-content:space-between\">"
            + $"<span>{Encode(left)}</span><span>{Encode(right)}</span></div></div>";
    }

    /// <summary>A table; numbers stand at the right.</summary>
    public static string Table(IReadOnlyList<string> names, IEnumerable<IReadOnlyList<string>> rows)
    {
        string Row(IEnumerable<string> cells, string tag) =>
            $"<tr>{string.Concat(cells.Select(cell => $"<{tag}>{Encode(cell)}</{tag}>"))}</tr>";
        return $"<table><thead>{Row(names, "th")}</thead><tbody>{string.Concat(rows.Select(row => Row(row, "td")))}</tbody></table>";
    }
}
