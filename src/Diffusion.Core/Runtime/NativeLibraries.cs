using System.Runtime.InteropServices;
using Diffusion.Native;

namespace Diffusion.Runtime;

/// <summary>
/// The libraries that are not .NET's: libtorch computes, libvips reads and writes pictures. Loaded when they are first needed.
/// </summary>
public static class NativeLibraries
{
    /// <summary>The package that brings them for this platform.</summary>
    public static string Package { get; } =
        "Diffusion.Native."
        + (
            OperatingSystem.IsWindows() ? "win"
            : OperatingSystem.IsMacOS() ? "osx"
            : "linux"
        )
        + "-"
        + RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();

    /// <summary>Loads libtorch. Everything of Diffusion's does so before its first tensor; more calls do nothing.</summary>
    /// <exception cref="ResourceException">It is not there, or not for this platform.</exception>
    public static void LoadTorch() => Load("libtorch", DiffusionRuntime.LoadTorch);

    /// <summary>Loads a library by <paramref name="load"/>, and says what to do where it cannot be.</summary>
    /// <exception cref="ResourceException">It is not there, or not for this platform.</exception>
    internal static void Load(string name, Action load)
    {
        try
        {
            load();
        }
        catch (Exception e)
            when (e
                    is DllNotFoundException
                        or EntryPointNotFoundException
                        or BadImageFormatException
                        or TypeInitializationException
                        or NotSupportedException
            )
        {
            throw new ResourceException(
                $"{name} cannot be loaded",
                e.GetBaseException().GetType().Name,
                $"A program that uses Diffusion references the package {Package}, which brings it; \"diffusion doctor\" says more",
                e
            );
        }
    }
}
