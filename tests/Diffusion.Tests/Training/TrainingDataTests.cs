using System.Security.Cryptography;

namespace Diffusion.Tests.Training;

/// <summary>What the prior that ships was trained on, <c>photographs.txt</c> beside it, is nothing that anything is measured on.</summary>
public sealed class TrainingDataTests
{
    private static readonly (string Hash, string Name)[] Trained =
    [
        .. File.ReadAllLines(Path.Combine(TestPaths.Repository, "checkpoints", "photo", "photographs.txt"))
            .Select(line => (line[..64], line[66..])),
    ];

    [Fact]
    public void Every_photograph_is_listed_once_and_none_is_a_demo_photograph()
    {
        Assert.Equal(590, Trained.Select(photo => photo.Hash).Distinct().Count());
        Assert.Equal(590, Trained.Select(photo => photo.Name).Distinct().Count());
        Assert.Empty(
            Trained.Select(photo => photo.Hash).Intersect(Hashes(Path.Combine(TestPaths.Repository, "src", "Diffusion.Cli", "demo")))
        );
    }

    [Fact]
    public void No_training_photograph_is_a_test_photograph()
    {
        // BSDS pictures carry their number, which tells them apart from CBSD68 in any format; the numbers of CBSD68 are public.
        Assert.SkipWhen(
            TestPaths.Shared is null || !Directory.Exists(Path.Combine(TestPaths.Shared, "data", "test")),
            "There are no test sets beside the repository."
        );
        string train = Path.Combine(TestPaths.Shared!, "data", "train-photos"),
            test = Path.Combine(TestPaths.Shared!, "data", "test");
        Assert.Empty(Trained.Select(photo => photo.Hash).Intersect(Hashes(test)));
        string[] rows = File.ReadAllLines(Path.Combine(test, "CBSD68", "MANIFEST.tsv"));
        int column = Array.IndexOf(rows[0].Split('\t'), "bsds_id");
        HashSet<string> numbers = [.. rows.Skip(1).Select(row => row.Split('\t')[column])];
        Assert.Equal(68, numbers.Count);
        Assert.DoesNotContain(Trained.Select(photo => Path.GetFileNameWithoutExtension(photo.Name)), name =>
            name.StartsWith("bsds-", StringComparison.Ordinal) && numbers.Contains(name.Split('-')[^1])
        );
        Assert.Empty(Originals(Path.Combine(train, "MANIFEST.tsv")).Intersect(Originals(Path.Combine(test, "photos", "MANIFEST.tsv"))));
    }

    private static IEnumerable<string> Originals(string manifest)
    {
        string[][] rows = [.. File.ReadAllLines(manifest).Select(row => row.Split('\t'))];
        (int source, int original) = (Array.IndexOf(rows[0], "source"), Array.IndexOf(rows[0], "original"));
        return rows.Skip(1).Select(row => row[source] + " " + row[original]);
    }

    private static IEnumerable<string> Hashes(string folder) =>
        Directory
            .GetFiles(folder, "*.*", SearchOption.AllDirectories)
            .Select(path => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))));
}
