using System.Text;

namespace Diffusion.Networks;

/// <summary>UTF-8 that was read as Windows-1252 or Latin-1, as in "cafÃ©".</summary>
internal static class Mojibake
{
    // What Windows-1252 has in place of the control characters 0x80 to 0x9F; '\0' where it has nothing.
    private const string Specials = "€\0‚ƒ„…†‡ˆ‰Š‹Œ\0Ž\0\0‘’“”•–—˜™š›œ\0žŸ";
    private const byte First = 0x80;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The character of a byte; a control character where Windows-1252 has none.</summary>
    public static char Windows1252(byte value) =>
        value - First is var index && index >= 0 && index < Specials.Length && Specials[index] != '\0' ? Specials[index] : (char)value;

    /// <summary>
    /// The text as it was meant, where all of it is Windows-1252 and, read as UTF-8, makes sense: ordinary text in a European language
    /// never
    /// does.
    /// </summary>
    public static string Mended(string text)
    {
        if (Ascii.IsValid(text) || Bytes(text) is not { } bytes)
            return text;
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return text;
        }
    }

    private static byte[]? Bytes(string text)
    {
        byte[] bytes = new byte[text.Length];
        for (int i = 0; i < text.Length; i++)
        {
            int special = text[i] == '\0' ? -1 : Specials.IndexOf(text[i]);
            if (special < 0 && text[i] > byte.MaxValue)
                return null;
            bytes[i] = (byte)(special >= 0 ? First + special : text[i]);
        }
        return bytes;
    }
}
