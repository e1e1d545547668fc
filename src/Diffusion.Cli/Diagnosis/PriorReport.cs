namespace Diffusion.Cli.Diagnosis;

/// <summary>The priors that can be found.</summary>
internal static class PriorReport
{
    /// <summary>What is there.</summary>
    public static IEnumerable<Finding> Findings()
    {
        string bundled = Path.Combine(AppContext.BaseDirectory, "checkpoints");
        string[] files = Directory.Exists(bundled) ? Directory.GetFiles(bundled, "*.safetensors", SearchOption.AllDirectories) : [];
        if (files.Length == 0) yield return new("priors", "none beside the executable", "Build or install again, or pass --prior FILE", IsFault: true);
        foreach (string file in files) yield return new("prior", $"{Path.GetFileNameWithoutExtension(file)} ({new FileInfo(file).Length / 1e6:0.0} MB), {file}");
    }
}
