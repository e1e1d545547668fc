using Diffusion.Runtime;

namespace Diffusion.Interactive;

/// <summary>Free photographs to try things on.</summary>
public static class Demo
{
    /// <summary>The folder in which they lie, beside the library.</summary>
    /// <exception cref="DiffusionException">They are not installed.</exception>
    public static string Folder =>
        Path.Combine(AppContext.BaseDirectory, "demo") is var folder && Directory.Exists(folder)
            ? folder
            : throw new DiffusionException("The demo's photographs are not installed", folder, "Give a photograph of your own");
}
