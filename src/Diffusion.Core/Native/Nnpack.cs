using System.Runtime.InteropServices;

namespace Diffusion.Native;

/// <summary>A library inside libtorch for small float32 convolutions.</summary>
internal static class Nnpack
{
    /// <summary>See <see cref="RuntimeOptions.QuietConvolutions"/>.</summary>
    public static unsafe string? Disable()
    {
        // Elsewhere than on Linux the names differ.
        if (
            !NativeLibrary.TryLoad("libtorch_cpu.so", out nint library)
            || !NativeLibrary.TryGetExport(library, "_ZN2at13globalContextEv", out nint context)
            || !NativeLibrary.TryGetExport(library, "_ZN2at7Context20setUserEnabledNNPACKEb", out nint set)
        )
            return "this libtorch has no such function";
        ((delegate* unmanaged<nint, byte, void>)set)(((delegate* unmanaged<nint>)context)(), 0);
        return null;
    }
}
