using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace Diffusion.Networks;

/// <summary>
/// Text as CLIP's published environment cleans it with ftfy: mojibake, HTML entities, ligatures, full-width forms, curly quotes and control
/// characters mended, composed (NFC), white space made single blanks, lower case.
/// </summary>
public static partial class CleanText
{
    // A text that was encoded wrongly twice is mended in two rounds; none needs more.
    private const int Rounds = 8;

    private static readonly Dictionary<char, string> Ligatures = new()
    {
        ['Ĳ'] = "IJ",
        ['ĳ'] = "ij",
        ['ŉ'] = "ʼn",
        ['Ǳ'] = "DZ",
        ['ǲ'] = "Dz",
        ['ǳ'] = "dz",
        ['Ǆ'] = "DŽ",
        ['ǅ'] = "Dž",
        ['ǆ'] = "dž",
        ['Ǉ'] = "LJ",
        ['ǈ'] = "Lj",
        ['ǉ'] = "lj",
        ['Ǌ'] = "NJ",
        ['ǋ'] = "Nj",
        ['ǌ'] = "nj",
        ['ﬀ'] = "ff",
        ['ﬁ'] = "fi",
        ['ﬂ'] = "fl",
        ['ﬃ'] = "ffi",
        ['ﬄ'] = "ffl",
        ['ﬅ'] = "ſt",
        ['ﬆ'] = "st",
    };

    /// <summary>Cleans a text.</summary>
    public static string Of(string text)
    {
        for (int round = 0; round < Rounds && Mended(text) is var mended && mended != text; round++)
            text = mended;
        return LowerCase.Of(WhiteSpace().Replace(text, " ").Trim());
    }

    private static string Mended(string text)
    {
        if (!text.Contains('<'))
            text = Entity().Replace(text, match => Unescaped(match.Value));
        text = Mojibake.Mended(text);
        StringBuilder result = new(text.Length);
        foreach (Rune rune in Terminal().Replace(text, "").EnumerateRunes())
            result.Append(Simple(rune));
        return UnicodeForms.Composed(result.ToString());
    }

    private static string Simple(Rune rune) =>
        rune.Value switch
        {
            <= 0x08 or 0x0b or (>= 0x0e and <= 0x1f) or 0x7f => "",
            (>= 0x206a and <= 0x206f) or 0xfeff or (>= 0xfff9 and <= 0xfffc) => "",
            >= 0x80 and <= 0x9f => Mojibake.Windows1252((byte)rune.Value).ToString(),
            0x02bc or (>= 0x2018 and <= 0x201b) => "'",
            >= 0x201c and <= 0x201f => "\"",
            0x3000 => " ",
            >= 0xff01 and <= 0xffef => UnicodeForms.Plain(rune.ToString()),
            <= 0xffff when Ligatures.TryGetValue((char)rune.Value, out string? letters) => letters,
            _ => rune.ToString(),
        };

    // Entities in capitals, which HTML does not know, are those of the capital letters.
    private static string Unescaped(string entity)
    {
        string decoded = WebUtility.HtmlDecode(entity);
        return decoded != entity || entity != entity.ToUpperInvariant() ? decoded
            : WebUtility.HtmlDecode(entity.ToLowerInvariant()) is { Length: 1 } letter ? letter.ToUpperInvariant()
            : entity;
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex WhiteSpace();

    [GeneratedRegex("&#?[0-9A-Za-z]{1,24};")]
    private static partial Regex Entity();

    [GeneratedRegex(@"\x1b\[[0-9;]*[a-zA-Z]")]
    private static partial Regex Terminal();
}
