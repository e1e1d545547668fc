using Diffusion.Runtime;
using Diffusion.Synthesis;
using Diffusion.Synthesis.DataSets;
using Diffusion.Training;

namespace Diffusion.Tests.Training.Pairs;

public sealed class PairFoldersTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("pairs").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Pairs_of_one_scene_stand_on_one_side()
    {
        string blur = Path.Combine(_folder, "blur");
        Directory.CreateDirectory(blur);
        string[] scenes = ["a", "a", "b", "b", "c", "d"];
        foreach ((int i, string _) in scenes.Index())
        foreach (string part in (string[])["clean", "degraded"])
            File.WriteAllText(Path.Combine(blur, $"{i}-{part}.png"), "");
        File.WriteAllLines(
            Path.Combine(blur, "MANIFEST.tsv"),
            ["file\tscene", .. scenes.Select((scene, i) => $"{i}-degraded.png\t{scene}")]
        );
        IReadOnlyList<PairFile> pairs = PairFolders.Find([_folder]);
        Assert.All(pairs, pair => Assert.Equal(DegradationKind.MotionBlur, pair.Kind));
        Assert.Equal(scenes, pairs.Select(pair => pair.Scene));
        (IReadOnlyList<PairFile> train, IReadOnlyList<PairFile> held) = PairFile.HoldOut(pairs, 2);
        Assert.Equal(2, held.Select(pair => pair.Scene).Distinct().Count());
        Assert.Empty(train.Select(pair => pair.Scene).Intersect(held.Select(pair => pair.Scene)));
        Assert.Equal(6, train.Count + held.Count);
        Assert.Single(PairFile.HoldOut(pairs).Hold.Select(pair => pair.Scene).Distinct());
        Assert.Throws<ArgumentException>(() => PairFile.HoldOut(pairs, 4));
    }

    [Fact]
    public void A_set_tells_its_pairs_kinds_and_photographs()
    {
        File.WriteAllText(Path.Combine(_folder, "set.json"), $$"""{"schema":{{SetFolder.Schema}},"set":{},"sources":[]}""");
        string list = Path.Combine(_folder, SetManifest.Lines);
        DiffusionException incomplete = Assert.Throws<ImageException>(() => PairFolders.Find([_folder]));
        Assert.Contains("--resume", incomplete.Message);
        File.WriteAllText(
            list,
            """{"degradation":"snow","source":"in/a.png","source_sha256":"11","clean":"clean/a.png","degraded":"degraded/snow/a.png"}"""
        );
        PairFile pair = Assert.Single(PairFolders.Find([_folder]));
        Assert.Equal(DegradationKind.Snow, pair.Kind);
        Assert.Equal(("11", ("a.png", "11")), (pair.Scene, pair.Source!.Value));
        Assert.Equal(Path.Combine(_folder, "clean/a.png"), pair.Clean);
        File.WriteAllText(list, """{"degradation":"snow","source":"in/a.png","source_sha256":"11"}""");
        Assert.Contains("--format folders", Assert.Throws<ImageException>(() => PairFolders.Find([_folder])).Message);
        File.WriteAllText(list, "{");
        Assert.Contains("Line 1", Assert.Throws<ImageException>(() => PairFolders.Find([_folder])).Message);
    }

    [Fact]
    public void Folders_without_pairs_are_refused_in_a_sentence()
    {
        Assert.Contains("no such folder", Assert.Throws<ImageException>(() => PairFolders.Find([Path.Combine(_folder, "no")])).Message);
        Assert.Contains("raindrop", Assert.Throws<ImageException>(() => PairFolders.Find([_folder])).Message);
        Directory.CreateDirectory(Path.Combine(_folder, "haze"));
        Assert.Contains("no pairs", Assert.Throws<ImageException>(() => PairFolders.Find([_folder])).Message);
    }
}
