using Diffusion.Runtime;

namespace Diffusion.Models;

/// <summary>A prior on disk.</summary>
/// <param name="Weights">The weight file.</param>
/// <param name="Card">Its <c>card.json</c>; null when there is none.</param>
public sealed record PriorFiles(string Weights, string? Card)
{
    /// <summary>The environment variable that names folders of priors.</summary>
    public const string Variable = "DIFFUSION_PRIORS";

    private static readonly string[] Extensions = [".safetensors", ".pt", ".pth", ".ckpt", ".bin"];

    /// <summary>
    /// Where names are looked up, in order: <see cref="Variable"/>, beside the executable, the user's data folder. Never the current
    /// folder.
    /// </summary>
    public static IReadOnlyList<string> Folders =>
        [
            .. (Environment.GetEnvironmentVariable(Variable) ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries),
            Path.Combine(AppContext.BaseDirectory, "checkpoints"),
            Path.Combine(
                Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify),
                "diffusion",
                "priors"
            ),
        ];

    /// <summary>Names that can be loaded.</summary>
    public static IReadOnlyList<string> Names =>
        [
            .. Folders
                .Where(Directory.Exists)
                .SelectMany(folder =>
                    Directory
                        .GetDirectories(folder)
                        .Where(path => InFolder(path) is not null || DiffusersFolder.Holds(path))
                        .Select(Path.GetFileName)
                        .Concat(Directory.GetFiles(folder).Where(IsWeights).Select(Path.GetFileNameWithoutExtension))
                )
                .Select(name => name!)
                .Distinct()
                .Order(StringComparer.Ordinal),
        ];

    /// <summary>Finds a prior by path, or by name in <see cref="Folders"/>.</summary>
    /// <exception cref="CheckpointException">There is none.</exception>
    public static PriorFiles Find(string nameOrPath)
    {
        if (File.Exists(nameOrPath))
            return new PriorFiles(nameOrPath, CardOf(nameOrPath));
        if (Directory.Exists(nameOrPath) && IsPath(nameOrPath))
            return InFolder(nameOrPath)
                ?? DiffusersFolder.Find(nameOrPath)
                ?? throw new CheckpointException(
                    "The folder holds no card.json with one weight file, and no config.json of diffusers",
                    nameOrPath,
                    "Name the weight file itself"
                );
        if (IsPath(nameOrPath))
            throw new CheckpointException("There is no such file", nameOrPath, "Check the path");
        foreach (string folder in Folders)
        {
            if (Path.Combine(folder, nameOrPath) is var path && (InFolder(path) ?? DiffusersFolder.Find(path)) is { } found)
                return found;
            foreach (string extension in Extensions)
                if (Path.Combine(folder, nameOrPath + extension) is var file && File.Exists(file))
                    return new PriorFiles(file, CardOf(file));
        }
        string known = Names.Count == 0 ? "none is installed" : $"installed are {string.Join(", ", Names)}";
        throw new CheckpointException(
            $"There is no prior \"{nameOrPath}\"; {known}",
            remedy: $"Give the path of a weight file, or set {Variable} to a folder of priors"
        );
    }

    private static bool IsPath(string nameOrPath) => nameOrPath.Contains('/') || nameOrPath.Contains('\\') || Path.HasExtension(nameOrPath);

    private static bool IsWeights(string path) => Extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>A card and the file that it names; an older card, which names none, belongs to the only weight file beside it.</summary>
    private static PriorFiles? InFolder(string folder)
    {
        string card = Path.Combine(folder, "card.json");
        if (!File.Exists(card))
            return null;
        if (PriorCard.FileOf(card) is { } named)
            return Path.Combine(folder, named) is var file && File.Exists(file) ? new PriorFiles(file, card) : null;
        string[] weights = [.. Directory.GetFiles(folder).Where(IsWeights)];
        return weights.Length == 1 ? new PriorFiles(weights[0], card) : null;
    }

    /// <summary>The card beside a weight file, where it is its own.</summary>
    private static string? CardOf(string weights)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(weights))!;
        return InFolder(folder) is { } files && Path.GetFullPath(files.Weights) == Path.GetFullPath(weights) ? files.Card : null;
    }
}
