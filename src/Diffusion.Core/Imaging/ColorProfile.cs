using System.Buffers.Binary;
using System.Text;

namespace Diffusion.Imaging;

/// <summary>Recognises ICC profiles that need no conversion.</summary>
internal static class ColorProfile
{
    private const int HeaderLength = 128, EntryLength = 12, MaxTags = 256;

    /// <summary>Whether a profile describes itself as sRGB. Most photographs carry one; converting them would change values by rounding alone.</summary>
    public static bool IsSrgb(ReadOnlySpan<byte> profile)
    {
        string? description = Description(profile);
        return description is not null && description.Contains("sRGB", StringComparison.Ordinal) && !description.Contains("linear", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>The description tag as text: ASCII in version 2, UTF-16 in version 4; null when the profile is damaged.</summary>
    private static string? Description(ReadOnlySpan<byte> profile)
    {
        if (profile.Length < HeaderLength + 4) return null;
        uint tags = Math.Min(BinaryPrimitives.ReadUInt32BigEndian(profile[HeaderLength..]), MaxTags);
        for (int i = 0; i < tags; i++)
        {
            int at = HeaderLength + 4 + i * EntryLength;
            if (at + EntryLength > profile.Length) return null;
            if (!profile[at..].StartsWith("desc"u8)) continue;
            uint offset = BinaryPrimitives.ReadUInt32BigEndian(profile[(at + 4)..]), length = BinaryPrimitives.ReadUInt32BigEndian(profile[(at + 8)..]);
            if (offset > profile.Length || length > profile.Length - offset || length < 12) return null;
            ReadOnlySpan<byte> tag = profile.Slice((int)offset, (int)length);
            return tag.StartsWith("mluc"u8) ? Encoding.BigEndianUnicode.GetString(tag[12..]) : Encoding.ASCII.GetString(tag[12..]);
        }
        return null;
    }
}
