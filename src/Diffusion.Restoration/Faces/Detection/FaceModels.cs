using Diffusion.Models;
using Diffusion.Runtime;

namespace Diffusion.Faces;

/// <summary>The published weights for faces that ship.</summary>
public static class FaceModels
{
    internal const string Name = "faces";

    /// <summary>Their folder: <c>faces</c> in the first folder of priors that has it.</summary>
    /// <exception cref="CheckpointException">No folder of priors has it.</exception>
    public static string Folder =>
        PriorFiles.Folders.Select(folder => Path.Combine(folder, Name)).FirstOrDefault(Directory.Exists)
        ?? throw new CheckpointException(
            "The face networks are not installed",
            Path.Combine(AppContext.BaseDirectory, "checkpoints", Name),
            $"Install the program again, or set {PriorFiles.Variable} to a folder that holds {Name}"
        );
}
