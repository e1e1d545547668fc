using System.Buffers.Binary;
using System.Text;

namespace Diffusion.Imaging;

/// <summary>
/// Tells which ICC profiles need no conversion and which allow none. The codec library replaces an unusable one silently.
/// </summary>
internal static class ColorProfile
{
    private const int SpaceAt = 16,
        SignatureAt = 36,
        HeaderLength = 128,
        EntryLength = 12,
        MaxTags = 256;

    /// <summary>
    /// Whether a profile describes itself as sRGB. Most photographs carry one; converting them would change values by rounding alone.
    /// </summary>
    public static bool IsSrgb(ReadOnlySpan<byte> profile)
    {
        string description = Description(profile);
        return description.Contains("sRGB", StringComparison.Ordinal)
            && !description.Contains("linear", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>How a profile calls itself, for messages.</summary>
    public static string NameOf(ReadOnlySpan<byte> profile)
    {
        string name = new([.. Description(profile).Where(c => c is >= ' ' and <= '~')]);
        const int Longest = 60;
        return string.IsNullOrWhiteSpace(name) ? "the embedded profile" : name.Trim()[..Math.Min(Longest, name.Trim().Length)];
    }

    private static string Description(ReadOnlySpan<byte> profile)
    {
        ReadOnlySpan<byte> tag = Tag(profile, "desc"u8);
        const int Ascii = 12,
            Unicode = 28;
        // UTF-16 in version 4, ASCII in version 2.
        return tag.Length < Ascii ? ""
            : tag.StartsWith("mluc"u8) ? Encoding.BigEndianUnicode.GetString(tag[Math.Min(Unicode, tag.Length)..])
            : Encoding.ASCII.GetString(
                tag.Slice(Ascii, Math.Min(tag.Length - Ascii, BinaryPrimitives.ReadInt32BigEndian(tag[8..]) is >= 0 and var n ? n : 0))
            );
    }

    /// <summary>Whether a profile belongs to pictures with that many colour channels and holds what a conversion needs.</summary>
    public static bool Fits(ReadOnlySpan<byte> profile, int channels)
    {
        if (profile.Length < HeaderLength + 4 || !profile[SignatureAt..].StartsWith("acsp"u8))
            return false;
        ReadOnlySpan<byte> space = profile.Slice(SpaceAt, 4);
        bool tables = !Tag(profile, "A2B0"u8).IsEmpty;
        return channels switch
        {
            1 => space.SequenceEqual("GRAY"u8) && (tables || !Tag(profile, "kTRC"u8).IsEmpty),
            3 => space.SequenceEqual("RGB "u8) && (tables || (!Tag(profile, "rXYZ"u8).IsEmpty && !Tag(profile, "rTRC"u8).IsEmpty)),
            _ => space.SequenceEqual("CMYK"u8) && tables,
        };
    }

    /// <summary>The bytes of a tag; empty when it is missing or lies outside the profile.</summary>
    private static ReadOnlySpan<byte> Tag(ReadOnlySpan<byte> profile, ReadOnlySpan<byte> name)
    {
        if (profile.Length < HeaderLength + 4)
            return [];
        uint tags = Math.Min(BinaryPrimitives.ReadUInt32BigEndian(profile[HeaderLength..]), MaxTags);
        for (int i = 0; i < tags; i++)
        {
            int at = HeaderLength + 4 + i * EntryLength;
            if (at + EntryLength > profile.Length)
                break;
            if (!profile[at..].StartsWith(name))
                continue;
            uint offset = BinaryPrimitives.ReadUInt32BigEndian(profile[(at + 4)..]),
                length = BinaryPrimitives.ReadUInt32BigEndian(profile[(at + 8)..]);
            return offset <= profile.Length && length <= profile.Length - offset ? profile.Slice((int)offset, (int)length) : [];
        }
        return [];
    }
}
