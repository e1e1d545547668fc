using System.Globalization;
using System.Text.RegularExpressions;

namespace Diffusion.Imaging;

/// <summary>Keeps the cards of a FITS header, and its world coordinates true when the pixels move.</summary>
internal static partial class FitsCoordinates
{
    private static readonly Regex Structure = new(
        @"^(SIMPLE|XTENSION|BITPIX|NAXIS\d*|EXTEND|PCOUNT|GCOUNT|GROUPS|BSCALE|BZERO|BLANK|DATAMIN|DATAMAX|CHECKSUM|DATASUM|END)\s*(=|$)",
        RegexOptions.CultureInvariant
    );

    /// <summary>The cards that hold for any array of the same picture.</summary>
    public static IReadOnlyList<string> Kept(IEnumerable<string> cards)
    {
        List<string> kept = [.. cards.Where(card => !Structure.IsMatch(card))];
        while (kept.Count > 0 && string.IsNullOrWhiteSpace(kept[^1]))
            kept.RemoveAt(kept.Count - 1);
        return kept;
    }

    /// <summary>The cards for pixels that moved.</summary>
    public static IReadOnlyList<string> Move(IReadOnlyList<string> cards, PixelAxis across, PixelAxis down) =>
        [.. cards.Select(card => Move(card, [across, down]))];

    private static string Move(string card, PixelAxis[] axes)
    {
        if (Keyword().Match(card) is not { Success: true } match)
            return card;
        string name = match.Groups["name"].Value;
        PixelAxis axis = axes[int.Parse(match.Groups["axis"].ValueSpan, CultureInfo.InvariantCulture) - 1];
        if (
            !double.TryParse(
                match.Groups["value"].Value.Replace('D', 'E'),
                NumberStyles.Float,
                CultureInfo.InvariantCulture,
                out double value
            )
        )
            return card;
        double moved = name == "CRPIX" ? axis.Move(value) : value / axis.Factor;
        string text = moved.ToString("R", CultureInfo.InvariantCulture),
            comment = match.Groups["comment"].Value;
        if (!text.AsSpan().ContainsAny('.', 'E'))
            text += ".0";
        string changed = $"{card[..8]}= {text, 20}{(comment.Length > 0 ? " " + comment : "")}";
        return changed.Length > 80 ? changed[..80] : changed.PadRight(80);
    }

    // CDi_j belongs to pixel axis j, and so do CRPIXj and CDELTj.
    [GeneratedRegex(
        @"^(?<key>(?<name>CRPIX|CDELT)(?<axis>[12])|(?<name>CD)\d_(?<axis>[12]))[A-Z]? *= *(?<value>[^ /]+) *(?<comment>/.*)?$",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex Keyword();
}
