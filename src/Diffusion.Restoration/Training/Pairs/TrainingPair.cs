using Diffusion.Runtime;

namespace Diffusion.Training;

/// <summary>A pair in memory.</summary>
/// <param name="File">Where it came from.</param>
/// <param name="Clean">The clean picture; pairs of one picture share it.</param>
/// <param name="Degraded">The degraded one.</param>
public sealed record TrainingPair(PairFile File, TrainingPhoto Clean, TrainingPhoto Degraded)
{
    /// <summary>Reads pairs; a clean picture that several have is read once.</summary>
    /// <exception cref="ImageException">A file is no picture, or the two of a pair are of different size.</exception>
    public static IReadOnlyList<TrainingPair> Read(IReadOnlyList<PairFile> files)
    {
        string[] paths = [.. files.Select(file => file.Clean).Concat(files.Select(file => file.Degraded)).Distinct()];
        Dictionary<string, TrainingPhoto> photos = paths.Zip(TrainingPhotos.Read(paths)).ToDictionary(one => one.First, one => one.Second);
        return
        [
            .. files.Select(file =>
            {
                (TrainingPhoto clean, TrainingPhoto degraded) = (photos[file.Clean], photos[file.Degraded]);
                return (clean.Width, clean.Height) == (degraded.Width, degraded.Height)
                    ? new TrainingPair(file, clean, degraded)
                    : throw new ImageException(
                        $"The pictures of a pair are {clean.Width}x{clean.Height} and {degraded.Width}x{degraded.Height} pixels",
                        file.Degraded,
                        "Give pairs of equal size"
                    );
            }),
        ];
    }
}
