using System.Globalization;
using Diffusion.Runtime;

namespace Diffusion.Training;

/// <summary>
/// What a run is trained from, noted in its folder (<c>inputs.txt</c>): a run that goes on with other pictures would be neither the one
/// nor the other.
/// </summary>
internal static class TrainingInputs
{
    // Larger files are told by their length: reading them takes longer than the check is worth.
    private const long LargestHashed = 256L << 20;

    /// <summary>Notes the inputs of a new run, and compares them with what an old one noted.</summary>
    /// <param name="folder">The run's folder.</param>
    /// <param name="begun">Whether there is a state already.</param>
    /// <param name="pictures">What is trained on, in the order that the draws refer to.</param>
    /// <param name="bundle">A folder of weights that stay as they are, or null.</param>
    /// <exception cref="CheckpointException">The run was begun with others.</exception>
    public static void Check(string folder, bool begun, IReadOnlyList<string> pictures, string? bundle)
    {
        string path = Path.Combine(folder, "inputs.txt");
        string[] now =
        [
            .. pictures.Select(picture => $"{TrainedFiles.Hash(picture)}  {Path.GetFileName(picture)}"),
            .. bundle is null
                ? []
                : Directory.GetFiles(bundle, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(Told),
        ];
        if (!begun || !File.Exists(path))
        {
            File.WriteAllLines(path, now);
            return;
        }
        string[] before = File.ReadAllLines(path);
        if (before.SequenceEqual(now))
            return;
        int first = Enumerable.Range(0, before.Length).FirstOrDefault(i => i >= now.Length || before[i] != now[i], before.Length);
        string name = (first < before.Length ? before : now)[first].Split("  ", 2)[^1];
        throw new CheckpointException(
            $"The run in this folder was begun with other files; the first that differs is {name}",
            path,
            "Give the same files in the same order, or begin in another folder with --start"
        );

        string Told(string file)
        {
            long length = new FileInfo(file).Length;
            string what = length > LargestHashed ? length.ToString(CultureInfo.InvariantCulture) : TrainedFiles.Hash(file);
            return $"{what}  {Path.GetRelativePath(bundle!, file)}";
        }
    }
}
