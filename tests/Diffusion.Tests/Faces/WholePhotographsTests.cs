using System.Diagnostics;
using System.Globalization;
using System.Text;
using Diffusion.Faces;
using Diffusion.Imaging;

namespace Diffusion.Tests.Faces;

/// <summary>Whole photographs whose faces were marked by eye: how many are found, how many finds are none, at what cost.</summary>
/// <remarks>
/// The threshold was fixed on other photographs. Beside it stands the threshold that a picture would have been given by the thirteen
/// others.
/// </remarks>
public sealed class WholePhotographsTests(ITestOutputHelper output)
{
    private const double Loosest = 0.25;

    private static string? Folder =>
        TestPaths.Shared is { } shared && Path.Combine(shared, "data", "test", "faces-whole") is var folder && Directory.Exists(folder)
            ? folder
            : null;

    [Fact(Explicit = true), Trait("Category", "slow")]
    public void Ninety_of_107_faces_are_found_and_at_most_two_finds_are_none()
    {
        Assert.SkipWhen(Folder is null, "There are no photographs. Put the folder \"shared\" beside the repository.");
        Dictionary<string, (double X, double Y)[]> marked = Marked(Folder!);
        double published = new FaceFinderSettings().Threshold;
        using FaceFinder finder = FaceFinder.Shipped(new FaceFinderSettings { Threshold = Loosest });
        Dictionary<string, (IReadOnlyList<Face> Faces, double Seconds)> found = [];
        foreach (string name in marked.Keys.Order(StringComparer.Ordinal))
        {
            using Picture photo = ImageFile.Read(Path.Combine(Folder!, name));
            TimeSpan start = Process.GetCurrentProcess().TotalProcessorTime;
            IReadOnlyList<Face> faces = finder.Find(photo.Pixels);
            found[name] = (faces, (Process.GetCurrentProcess().TotalProcessorTime - start).TotalSeconds);
        }
        (int Found, int False) At(string name, double threshold) =>
            Count([.. found[name].Faces.Where(face => face.Score >= threshold)], marked[name]);
        (int Found, int False) Sum(IEnumerable<string> names, Func<string, double> threshold) =>
            names.Select(name => At(name, threshold(name))).Aggregate((a, b) => (a.Found + b.Found, a.False + b.False));
        double FromOthers(string name) =>
            Enumerable
                .Range(0, 31)
                .Select(k => Loosest + k * 0.01)
                .MaxBy(t => Sum(marked.Keys.Where(other => other != name), _ => t) is var (hits, misses) ? hits - 2 * misses : 0);
        Dictionary<string, double> others = marked.Keys.ToDictionary(name => name, FromOthers);
        StringBuilder table = new(
            "| photograph | marked | found + false | left one out | threshold | CPU s |\n|---|---|---|---|---|---|\n"
        );
        foreach (string name in found.Keys)
            table.AppendLine(
                CultureInfo.InvariantCulture,
                $"| {name} | {marked[name].Length} | {Text(At(name, published))} | {Text(At(name, others[name]))} "
                    + $"| {others[name]:F2} | {found[name].Seconds:F1} |"
            );
        (int hits, int misses) = Sum(marked.Keys, _ => published);
        table.AppendLine(
            CultureInfo.InvariantCulture,
            $"| sum | {marked.Values.Sum(points => points.Length)} | {Text((hits, misses))} "
                + $"| {Text(Sum(marked.Keys, name => others[name]))} | | {found.Values.Sum(entry => entry.Seconds):F1} |"
        );
        output.WriteLine(table.ToString());
        Assert.True(hits >= 90 && misses <= 2, $"{hits} faces were found and {misses} finds are none.\n{table}");
    }

    private static string Text((int Found, int False) count) => $"{count.Found}+{count.False}";

    /// <summary>One to one: a box finds a face whose middle it holds.</summary>
    private static (int Found, int False) Count(IReadOnlyList<Face> faces, (double X, double Y)[] middles)
    {
        int?[] finder = new int?[middles.Length];
        bool Assign(int face, bool[] tried)
        {
            for (int m = 0; m < middles.Length; m++)
            {
                if (tried[m] || !faces[face].Detection.Holds(middles[m]))
                    continue;
                tried[m] = true;
                if (finder[m] is { } other && !Assign(other, tried))
                    continue;
                finder[m] = face;
                return true;
            }
            return false;
        }
        int found = Enumerable.Range(0, faces.Count).Count(face => Assign(face, new bool[middles.Length]));
        return (found, faces.Count - found);
    }

    private static Dictionary<string, (double X, double Y)[]> Marked(string folder) =>
        File.ReadLines(Path.Combine(folder, "FACES.tsv"))
            .Skip(1)
            .Select(line => line.Split('\t'))
            .GroupBy(
                columns => columns[0],
                columns => (double.Parse(columns[1], CultureInfo.InvariantCulture), double.Parse(columns[2], CultureInfo.InvariantCulture))
            )
            .ToDictionary(group => group.Key, group => group.ToArray());
}
