using System.Security.Cryptography;

namespace Diffusion.Tests.Training;

public sealed class TrainingDataTests
{
    [Fact]
    public void No_training_photograph_is_a_test_photograph()
    {
        if (TestPaths.Shared is not { } shared || !Directory.Exists(Path.Combine(shared, "data")))
        {
            Assert.SkipWhen(Environment.GetEnvironmentVariable("CI") != "true", "There is no data beside the repository.");
            Assert.Fail("There is no data beside the repository.");
        }
        string train = Path.Combine(TestPaths.Shared!, "data", "train-photos"), test = Path.Combine(TestPaths.Shared!, "data", "test");
        string[] trained = Directory.GetFiles(train, "*.*", SearchOption.AllDirectories), tested = Directory.GetFiles(test, "*.*", SearchOption.AllDirectories);
        Assert.Empty(trained.Select(Hash).Intersect(tested.Select(Hash)));

        // The same pictures in another format: BSDS pictures by their number, others by the name of the original.
        string[] rows = File.ReadAllLines(Path.Combine(test, "CBSD68", "MANIFEST.tsv"));
        int column = Array.IndexOf(rows[0].Split('\t'), "bsds_id");
        HashSet<string> numbers = [.. rows.Skip(1).Select(row => row.Split('\t')[column])];
        Assert.Equal(68, numbers.Count);
        Assert.DoesNotContain(trained.Select(Path.GetFileNameWithoutExtension), name => name!.StartsWith("bsds-", StringComparison.Ordinal) && numbers.Contains(name.Split('-')[^1]));
        Assert.Empty(Originals(Path.Combine(train, "MANIFEST.tsv")).Intersect(Originals(Path.Combine(test, "photos", "MANIFEST.tsv"))));
    }

    private static IEnumerable<string> Originals(string manifest)
    {
        string[][] rows = [.. File.ReadAllLines(manifest).Select(row => row.Split('\t'))];
        (int source, int original) = (Array.IndexOf(rows[0], "source"), Array.IndexOf(rows[0], "original"));
        return rows.Skip(1).Select(row => row[source] + " " + row[original]);
    }

    private static string Hash(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return Convert.ToHexString(SHA256.HashData(stream));
    }
}
