using System.Text.RegularExpressions;

namespace Diffusion.Tests.Architecture;

/// <summary>Arrows point down: inside Core each folder uses only the ones before it.</summary>
public sealed partial class LayerTests
{
    private static readonly string[] CoreOrder =
    [
        "Native",
        "Runtime",
        "Settings",
        "Numerics",
        "Imaging",
        "Metrics",
        "Checkpoints",
        "Sampling",
        "Networks",
        "Models",
        "Inverse",
        "Solvers",
    ];

    [Fact]
    public void Each_folder_of_Core_uses_only_the_folders_before_it()
    {
        string core = Path.Combine(TestPaths.Repository, "src", "Diffusion.Core");
        List<string> wrong = [];
        foreach (string file in SourceFiles(core))
        {
            string folder = Path.GetRelativePath(core, file).Split(Path.DirectorySeparatorChar)[0];
            int level = Array.IndexOf(CoreOrder, folder);
            Assert.True(level >= 0, $"{file} lies in no known folder.");
            foreach (string used in UsedNamespaces(file))
                if (
                    Array.IndexOf(CoreOrder, used) is var other
                    && (other > level || (other < 0 && used is "Operators" or "Restoration" or "Training" or "Evaluation" or "Cli"))
                )
                    wrong.Add($"{Path.GetRelativePath(core, file)} uses Diffusion.{used}");
        }
        Assert.Empty(wrong);
    }

    [Theory]
    [InlineData("operators", "Diffusion.Operators")]
    [InlineData("src/Diffusion.Core", "Diffusion")]
    [InlineData("src/Diffusion.Restoration", "Diffusion")]
    [InlineData("src/Diffusion.Cli", "Diffusion.Cli")]
    public void Namespaces_follow_folders(string project, string root)
    {
        string folder = Path.Combine(TestPaths.Repository, project);
        List<string> wrong = [];
        foreach (string file in SourceFiles(folder))
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

    private static IEnumerable<string> SourceFiles(string folder) =>
        Directory
            .EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
            .Where(f =>
                !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}")
                && !f.Contains($"{Path.DirectorySeparatorChar}bin{Path.DirectorySeparatorChar}")
            );

    private static IEnumerable<string> UsedNamespaces(string file) =>
        QualifiedName().Matches(File.ReadAllText(file)).Select(m => m.Groups[1].Value).Distinct();

    [GeneratedRegex(@"(?<!namespace )\bDiffusion\.([A-Z]\w+)")]
    private static partial Regex QualifiedName();

    [GeneratedRegex(@"^namespace ([\w.]+)", RegexOptions.Multiline)]
    private static partial Regex NamespaceDeclaration();
}
