using System.Globalization;
using System.Text;
using Microsoft.ML.Tokenizers;

namespace Diffusion.Networks;

/// <summary>
/// The pieces of a text that CLIP merges bytes within: a special token; <c>'s 't 're 've 'm 'll 'd</c>; letters; one digit; anything else
/// but white space.
/// </summary>
/// <remarks>By code points, which .NET's regular expressions do not see: letters beyond U+FFFF are letters too.</remarks>
internal sealed class ClipPieces(IReadOnlyDictionary<string, int> special) : PreTokenizer
{
    private static readonly string[] Endings = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];
    private readonly string[] _whole = [.. special.Keys, .. Endings];

    private enum Class
    {
        White,
        Letter,
        Number,
        Other,
    }

    public override IEnumerable<(int Offset, int Length)> PreTokenize(string text) => Pieces(text);

    public override IEnumerable<(int Offset, int Length)> PreTokenize(ReadOnlySpan<char> text) => Pieces(text.ToString());

    private IEnumerable<(int, int)> Pieces(string text)
    {
        for (int at = 0; at < text.Length; )
        {
            int length = Whole(text, at) ?? Run(text, at);
            if (ClassAt(text, at).Class != Class.White)
                yield return (at, length);
            at += length;
        }
    }

    private int? Whole(string text, int at) =>
        _whole.FirstOrDefault(whole => string.CompareOrdinal(text, at, whole, 0, whole.Length) == 0)?.Length;

    private static int Run(string text, int at)
    {
        (Class first, int length) = ClassAt(text, at);
        if (first == Class.Number)
            return length;
        while (at + length < text.Length && ClassAt(text, at + length) is var next && next.Class == first)
            length += next.Length;
        return length;
    }

    private static (Class Class, int Length) ClassAt(string text, int at)
    {
        if (!Rune.TryGetRuneAt(text, at, out Rune rune))
            return (Class.Other, 1);
        Class kind = Rune.IsWhiteSpace(rune)
            ? Class.White
            : Rune.GetUnicodeCategory(rune) switch
            {
                <= UnicodeCategory.OtherLetter => Class.Letter,
                UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => Class.Number,
                _ => Class.Other,
            };
        return (kind, rune.Utf16SequenceLength);
    }
}
