using Diffusion.Imaging;

namespace Diffusion.Evaluation;

/// <summary>The pictures that a benchmark's report shows, kept in a folder so that a run that goes on still has them.</summary>
public sealed class BenchPictures
{
    private const int LargestSide = 768,
        Quality = 90;
    private readonly string _folder;
    private readonly HashSet<string> _shown;
    private readonly ulong _seed;

    /// <summary>Names of what is kept beside restorations.</summary>
    internal const string Original = "original",
        Measurement = "measurement";

    /// <summary>Keeps the first pictures of a plan, with its first seed.</summary>
    /// <param name="folder">Made when needed.</param>
    /// <param name="plan">Says how many.</param>
    public BenchPictures(string folder, BenchPlan plan)
    {
        _folder = folder;
        _shown = [.. plan.Pictures.Take(plan.Shown).Select(file => Path.GetFileName(file))];
        _seed = plan.Seeds.Count > 0 ? plan.Seeds[0] : 0;
    }

    /// <summary>Keeps a picture of a cell if the report shows it. Only the middle of large ones.</summary>
    /// <param name="cell">What it is.</param>
    /// <param name="x">[1,C,H,W] on [0,1], C = 1 or 3; borrowed.</param>
    internal void Keep(BenchCell cell, Tensor x)
    {
        if (!Shows(cell))
            return;
        using DisposeScope scope = torch.NewDisposeScope();
        (long height, long width) = (Math.Min(x.shape[2], LargestSide), Math.Min(x.shape[3], LargestSide));
        Tensor middle = x.narrow(2, (x.shape[2] - height) / 2, height).narrow(3, (x.shape[3] - width) / 2, width);
        ImageFile.Write(PathOf(cell), middle.clamp(0, 1), new WriteOptions { Quality = Quality });
    }

    /// <summary>
    /// Keeps the original, and the measurement where it is a picture: enlarged to the original's size by repeating pixels.
    /// </summary>
    internal void Keep(BenchCell measured, BenchMeasurement measurement)
    {
        if (!Shows(measured))
            return;
        using DisposeScope scope = torch.NewDisposeScope();
        Keep(measured with { Method = Original }, measurement.Clean);
        Tensor y = measurement.Measured.Y;
        if (measurement.Measured.Shape is null)
            return;
        Tensor seen = torch.nn.functional.interpolate(
            y,
            [measurement.Clean.shape[2], measurement.Clean.shape[3]],
            mode: torch.InterpolationMode.Nearest
        );
        Keep(measured with { Method = Measurement }, seen);
    }

    /// <summary>The WebP file of a cell; null when there is none.</summary>
    internal byte[]? Find(BenchCell cell) => Shows(cell) && File.Exists(PathOf(cell)) ? File.ReadAllBytes(PathOf(cell)) : null;

    private bool Shows(BenchCell cell) => cell.Seed == _seed && _shown.Contains(cell.Picture);

    private string PathOf(BenchCell cell)
    {
        string picture = Path.GetFileNameWithoutExtension(cell.Picture),
            steps = cell.Steps is { } count ? $"-{count}" : "";
        string name = $"{picture}-{cell.Method.Replace(' ', '-')}{steps}-{cell.Fingerprint}.webp";
        return Path.Combine(_folder, string.Concat(name.Split(Path.GetInvalidFileNameChars())));
    }
}
