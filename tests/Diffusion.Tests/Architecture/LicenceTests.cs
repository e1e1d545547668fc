using System.Text.Json;

namespace Diffusion.Tests.Architecture;

/// <summary>What ships is listed with its licence.</summary>
public sealed class LicenceTests
{
    private static string ThirdParty => File.ReadAllText(Path.Combine(TestPaths.Repository, "THIRD-PARTY.md"));

    [Fact]
    public void Every_resolved_package_of_the_command_is_listed_with_its_version()
    {
        string assets = Path.Combine(TestPaths.Repository, "src", "Diffusion.Cli", "obj", "project.assets.json");
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(assets));
        string text = ThirdParty;
        List<string> missing = [];
        foreach (JsonProperty library in json.RootElement.GetProperty("libraries").EnumerateObject())
        {
            if (library.Value.GetProperty("type").GetString() != "package")
                continue;
            (string name, string version) = (library.Name.Split('/')[0], library.Name.Split('/')[1]);
            if (!text.Contains($"| {name} | {version} |", StringComparison.Ordinal))
                missing.Add($"| {name} | {version} |");
        }
        Assert.Empty(missing);
    }

    [Fact]
    public void Every_shipped_prior_is_listed()
    {
        string text = ThirdParty;
        foreach (string folder in Directory.EnumerateDirectories(Path.Combine(TestPaths.Repository, "checkpoints")))
            Assert.Contains($"checkpoints/{Path.GetFileName(folder)}", text);
    }
}
