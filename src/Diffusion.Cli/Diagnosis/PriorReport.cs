using Diffusion.Models;

namespace Diffusion.Cli.Diagnosis;

/// <summary>The priors that can be found.</summary>
internal static class PriorReport
{
    /// <summary>What is there.</summary>
    public static IEnumerable<Finding> Findings()
    {
        IReadOnlyList<string> names = PriorFiles.Names;
        if (names.Count == 0)
            yield return new(
                "priors",
                "none found",
                "Build or install again, pass --prior FILE, or set DIFFUSION_PRIORS (diffusion checkpoints where)",
                IsFault: true
            );
        foreach (string name in names)
        {
            string file = PriorFiles.Find(name).Weights;
            yield return new("prior", $"{name} ({new FileInfo(file).Length / 1e6:0.0} MB), {file}");
        }
        foreach (string missing in PriorFiles.Folders.SkipLast(2).Where(folder => !Directory.Exists(folder)))
            yield return new("priors", $"{missing} does not exist", "Correct DIFFUSION_PRIORS");
    }
}
