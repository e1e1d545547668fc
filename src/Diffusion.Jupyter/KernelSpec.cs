using System.Text.Json.Nodes;
using Diffusion.Imaging;

namespace Diffusion.Jupyter;

/// <summary>The folder by which Jupyter knows the kernel.</summary>
public static class KernelSpec
{
    /// <summary>The kernel's name.</summary>
    public const string Name = "diffusion-csharp";

    /// <summary>How front ends call it.</summary>
    public const string DisplayName = "C# (Diffusion)";

    /// <summary>Where a user's kernels lie: <c>JUPYTER_DATA_DIR</c>, else Jupyter's own place on this system.</summary>
    public static string UserFolder
    {
        get
        {
            string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            string data =
                Environment.GetEnvironmentVariable("JUPYTER_DATA_DIR") is { Length: > 0 } named ? named
                : OperatingSystem.IsWindows()
                    ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData), "jupyter")
                : OperatingSystem.IsMacOS() ? Path.Combine(home, "Library", "Jupyter")
                : Environment.GetEnvironmentVariable("XDG_DATA_HOME") is { Length: > 0 } xdg ? Path.Combine(xdg, "jupyter")
                : Path.Combine(home, ".local", "share", "jupyter");
            return Path.Combine(data, "kernels");
        }
    }

    /// <summary>Writes the kernel's folder.</summary>
    /// <param name="command">What starts this program, without its verb.</param>
    /// <param name="kernels">Where kernels lie; null: the user's own.</param>
    /// <returns>The folder.</returns>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static string Install(IReadOnlyList<string> command, string? kernels = null)
    {
        string folder = Path.Combine(kernels ?? UserFolder, Name);
        Directory.CreateDirectory(folder);
        JsonObject spec = new()
        {
            ["argv"] = new JsonArray([.. command.Concat(["jupyter", "run", "{connection_file}"]).Select(word => (JsonNode)word)]),
            ["display_name"] = DisplayName,
            ["language"] = "C#",
            ["interrupt_mode"] = "message",
        };
        OutputFile.Write(Path.Combine(folder, "kernel.json"), true, stream =>
            stream.Write(System.Text.Encoding.UTF8.GetBytes(spec.ToJsonString(new() { WriteIndented = true }) + "\n"))
        );
        return folder;
    }
}
