using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using Diffusion.Imaging;

namespace Diffusion.Networks;

/// <summary>
/// Unicode's normal forms, by GLib, which comes with the picture codecs: .NET has none where it runs without cultures, as programs here do.
/// </summary>
internal static unsafe class UnicodeForms
{
    // GNormalizeMode.
    private const int Compose = 1,
        ComposeCompatible = 3;

    // Where the codecs' package has GLib: in libvips, or beside it.
    private static readonly string[] Libraries = ["libvips.so.42", "libvips.42.dylib", "libglib-2.0-0.dll", "libglib-2.0.so.0"];

    private static readonly Lazy<(nint Normalize, nint Free)> Functions = new(Load);

    /// <summary>NFC.</summary>
    public static string Composed(string text) => Ascii.IsValid(text) ? text : Normalized(text, Compose);

    /// <summary>NFKC: full-width and half-width forms become ordinary characters.</summary>
    public static string Plain(string text) => Normalized(text, ComposeCompatible);

    private static string Normalized(string text, int mode)
    {
        (nint normalize, nint free) = Functions.Value;
        fixed (byte* given = Encoding.UTF8.GetBytes(text + '\0'))
        {
            byte* made = ((delegate* unmanaged[Cdecl]<byte*, nint, int, byte*>)normalize)(given, -1, mode);
            if (made is null)
                return text;
            try
            {
                return Marshal.PtrToStringUTF8((nint)made)!;
            }
            finally
            {
                ((delegate* unmanaged[Cdecl]<byte*, void>)free)(made);
            }
        }
    }

    private static (nint, nint) Load()
    {
        CodecLibrary.Load();
        Assembly codecs = typeof(NetVips.Image).Assembly;
        foreach (string name in Libraries)
            if (
                NativeLibrary.TryLoad(name, codecs, null, out nint library)
                && NativeLibrary.TryGetExport(library, "g_utf8_normalize", out nint normalize)
                && NativeLibrary.TryGetExport(library, "g_free", out nint free)
            )
                return (normalize, free);
        throw new DllNotFoundException("The picture codecs' package has no GLib.");
    }
}
