using System.Text.RegularExpressions;

namespace Diffusion.Tests.Architecture;

/// <summary>Arrows point down: a folder uses only what stands before it, and no two folders need each other.</summary>
public sealed partial class LayerTests(ITestOutputHelper output)
{
    /// <summary>First-level rooms from the bottom up; their sub-folders stand with them.</summary>
    private static readonly string[] Order =
    [
        "Core/Native",
        "Core/Runtime",
        "Core/Settings",
        "Core/Numerics",
        "Core/Arrays",
        "Core/Imaging",
        "Core/Metrics",
        "Core/Checkpoints",
        "Core/Sampling",
        "Core/Networks",
        "Core/Models",
        "Core/Inverse",
        "Core/Solvers",
        "Operators",
        "Restoration/Restoration",
        "Restoration/Pipeline",
        "Restoration/Faces",
        "Restoration/Direct",
        "Restoration/Synthesis",
        "Restoration/ZeroShot",
        "Restoration",
        "Restoration/Training",
        "Restoration/Evaluation",
        "Interactive",
        "Jupyter",
        "Cli",
        "SamplePlugin",
    ];

    /// <summary>Arrows that still close a circle. An entry that closes none any more fails the test: the list only shrinks.</summary>
    private static readonly string[] KnownArrowsOfCircles = [];

    private static readonly FolderGraph Graph = FolderGraph.Of(SourceProgram.House);

    [Fact]
    public void Every_folder_uses_only_the_folders_before_it()
    {
        string[] strangers = [.. Graph.Rooms.Where(room => LevelOf(room) < 0)];
        Assert.True(strangers.Length == 0, $"Folders that stand nowhere in {nameof(Order)}: {string.Join(", ", strangers)}.");
        string[] up =
        [
            .. Graph.Without(KnownArrowsOfCircles).Arrows.Where(arrow => LevelOf(arrow.From) < LevelOf(arrow.To)).Select(Explained),
        ];
        Assert.True(up.Length == 0, $"Arrows that point up:\n{string.Join('\n', up)}");
    }

    [Fact]
    public void No_folders_use_each_other()
    {
        output.WriteLine(Graph.Describe(LevelOf));
        IEnumerable<string> circles = Graph
            .Without(KnownArrowsOfCircles)
            .Circles()
            .Select(rooms =>
                $"{string.Join(", ", rooms)}:\n"
                + string.Join('\n', Graph.Arrows.Where(arrow => rooms.Contains(arrow.From) && rooms.Contains(arrow.To)).Select(Explained))
            );
        Assert.True(!circles.Any(), $"Folders that use each other:\n{string.Join("\n\n", circles)}");
    }

    [Fact]
    public void The_known_arrows_of_circles_become_fewer()
    {
        string[] closing =
        [
            .. KnownArrowsOfCircles.Where(known =>
                Graph.Arrows.Any(arrow =>
                    arrow.ToString() == known
                    && Graph
                        .Without(KnownArrowsOfCircles.Where(other => other != known))
                        .Circles()
                        .Any(rooms => rooms.Contains(arrow.From) && rooms.Contains(arrow.To))
                )
            ),
        ];
        string gone = string.Join(", ", KnownArrowsOfCircles.Except(closing));
        Assert.True(gone.Length == 0, $"These close no circle any more; take them from {nameof(KnownArrowsOfCircles)}: {gone}.");
    }

    // The nearest room that stands in the order: a project's own files may stand above its folders.
    private static int LevelOf(string room) =>
        Array.IndexOf(
            Order,
            Order.Where(known => room == known || room.StartsWith(known + "/", StringComparison.Ordinal)).MaxBy(known => known.Length)
        );

    private static string Explained(FolderGraph.Arrow arrow) => $"  {arrow} ({arrow.Example})";

    [Theory]
    [InlineData("operators", "Diffusion.Operators")]
    [InlineData("src/Diffusion.Core", "Diffusion")]
    [InlineData("src/Diffusion.Restoration", "Diffusion")]
    [InlineData("src/Diffusion.Interactive", "Diffusion.Interactive")]
    [InlineData("src/Diffusion.Jupyter", "Diffusion.Jupyter")]
    [InlineData("src/Diffusion.Cli", "Diffusion.Cli")]
    public void Namespaces_follow_folders(string project, string root)
    {
        string folder = Path.Combine(TestPaths.Repository, project);
        List<string> wrong = [];
        foreach (string file in Sources.Under(project))
        {
            Match declared = NamespaceDeclaration().Match(File.ReadAllText(file));
            if (!declared.Success)
                continue;
            string name = declared.Groups[1].Value,
                first = Path.GetRelativePath(folder, file).Split(Path.DirectorySeparatorChar)[0];
            string expected = first.EndsWith(".cs", StringComparison.Ordinal) || root != "Diffusion" ? root : $"Diffusion.{first}";
            if (name != expected && !name.StartsWith(expected + ".", StringComparison.Ordinal))
                wrong.Add($"{Path.GetRelativePath(folder, file)}: {name}, expected {expected}");
        }
        Assert.Empty(wrong);
    }

    [Fact]
    public void Only_executables_reference_a_native_library()
    {
        foreach (
            string project in new[]
            {
                "src/Diffusion.Core/Diffusion.Core.csproj",
                "operators/Diffusion.Operators.csproj",
                "src/Diffusion.Restoration/Diffusion.Restoration.csproj",
            }
        )
            Assert.DoesNotMatch("libtorch|TorchRuntime|NetVips.Native", File.ReadAllText(Path.Combine(TestPaths.Repository, project)));
    }

    [GeneratedRegex(@"^namespace ([\w.]+)", RegexOptions.Multiline)]
    private static partial Regex NamespaceDeclaration();
}
