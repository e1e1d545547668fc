using System.Text.Json.Nodes;

namespace Diffusion.Interactive;

/// <summary>How something looks in a notebook: the front end takes the richest form that it can show.</summary>
/// <param name="Text">What a terminal shows.</param>
[TypeFormatterSource(typeof(ViewFormatters))]
public sealed record View(string Text)
{
    /// <summary>A piece of HTML that needs nothing from elsewhere; null: none.</summary>
    public string? Html { get; init; }

    /// <summary>A PNG file, for front ends without HTML; empty: none.</summary>
    public ReadOnlyMemory<byte> Png { get; init; }

    /// <summary>Jupyter's MIME bundle.</summary>
    public JsonObject ToBundle()
    {
        JsonObject bundle = new() { ["text/plain"] = Text };
        if (Html is not null)
            bundle["text/html"] = Html;
        if (!Png.IsEmpty)
            bundle["image/png"] = Convert.ToBase64String(Png.Span);
        return bundle;
    }

    /// <summary>The text.</summary>
    public override string ToString() => Text;
}
