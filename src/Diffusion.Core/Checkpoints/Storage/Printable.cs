using System.Text;

namespace Diffusion.Checkpoints;

/// <summary>Text from an untrusted file, made fit for one line of an error message.</summary>
internal static class Printable
{
    /// <summary>At most <paramref name="length"/> characters, control characters replaced.</summary>
    public static string Shorten(string text, int length = 80)
    {
        StringBuilder line = new();
        foreach (char c in text.AsSpan(0, Math.Min(text.Length, length)))
            line.Append(char.IsControl(c) ? '?' : c);
        return text.Length > length ? line.Append("...").ToString() : line.ToString();
    }
}
