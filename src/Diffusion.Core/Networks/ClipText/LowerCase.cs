using System.Globalization;
using System.Text;

namespace Diffusion.Networks;

/// <summary>Unicode's full lower case, whatever the culture: .NET's invariant one knows single letters only.</summary>
internal static class LowerCase
{
    private const int CapitalSigma = 'Σ',
        CapitalDottedI = 'İ';

    /// <summary>
    /// The text in lower case: a capital I with dot becomes an i with a combining dot, a sigma that ends a word its final form.
    /// </summary>
    public static string Of(string text)
    {
        Rune[] runes = [.. text.EnumerateRunes()];
        StringBuilder lower = new(text.Length);
        for (int i = 0; i < runes.Length; i++)
            lower.Append(
                runes[i].Value switch
                {
                    CapitalDottedI => "i\u0307",
                    CapitalSigma => EndsWord(runes, i) ? "ς" : "σ",
                    _ => Rune.ToLowerInvariant(runes[i]).ToString(),
                }
            );
        return lower.ToString();
    }

    // Behind a letter and before none, marks and apostrophes aside.
    private static bool EndsWord(Rune[] runes, int at) =>
        IsCased(runes[..at].Reverse().FirstOrDefault(IsSeen)) && !IsCased(runes[(at + 1)..].FirstOrDefault(IsSeen));

    private static bool IsCased(Rune rune) =>
        Rune.GetUnicodeCategory(rune)
            is UnicodeCategory.UppercaseLetter
                or UnicodeCategory.LowercaseLetter
                or UnicodeCategory.TitlecaseLetter;

    private static bool IsSeen(Rune rune) =>
        Rune.GetUnicodeCategory(rune)
            is not (
                UnicodeCategory.NonSpacingMark
                or UnicodeCategory.EnclosingMark
                or UnicodeCategory.Format
                or UnicodeCategory.ModifierLetter
                or UnicodeCategory.ModifierSymbol
            )
        && rune.Value is not ('\'' or '.' or ':' or '·' or '\u2018' or '\u2019' or '\u2024' or '\u2027');
}
