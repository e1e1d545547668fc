using System.Runtime.CompilerServices;
using Diffusion.Native;

namespace Diffusion.Tests;

internal static class ProcessSettings
{
    /// <summary>The tests run as the command does, whose process is its own.</summary>
    [ModuleInitializer]
    internal static void Choose() => DiffusionRuntime.Configure(RuntimeOptions.Full);
}
