using System.Text.Json;
using System.Xml.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Diffusion.Tests.Architecture;

/// <summary>The repository's sources as the compiler understands them, read as one program.</summary>
internal sealed class SourceProgram
{
    private static readonly Lazy<SourceProgram> Shared = new(() => new SourceProgram("src", "operators", "tests/SamplePlugin"));

    private readonly CSharpCompilation _compilation;

    private SourceProgram(params string[] folders)
    {
        CSharpParseOptions options = new(LanguageVersion.Preview, DocumentationMode.Parse);
        Trees =
        [
            .. Sources.Under(folders).Select(file => CSharpSyntaxTree.ParseText(File.ReadAllText(file), options, Sources.Relative(file))),
        ];
        _compilation = CSharpCompilation.Create(
            "house",
            Trees.Append(CSharpSyntaxTree.ParseText(GlobalUsings(), options)),
            References(),
            new CSharpCompilationOptions(OutputKind.ConsoleApplication, allowUnsafe: true)
        );
    }

    /// <summary>Everything that ships, and the sample plug-in; read once.</summary>
    public static SourceProgram House => Shared.Value;

    /// <summary>One tree per file, with its path inside the repository.</summary>
    public IReadOnlyList<SyntaxTree> Trees { get; }

    /// <summary>What the names in a file mean.</summary>
    public SemanticModel ModelOf(SyntaxTree tree) => _compilation.GetSemanticModel(tree);

    private static string GlobalUsings()
    {
        IEnumerable<string> own = XDocument
            .Load(Path.Combine(TestPaths.Repository, "Directory.Build.props"))
            .Descendants("Using")
            .Select(used => (Name: used.Attribute("Include")!.Value, Alias: used.Attribute("Alias")?.Value))
            .Select(used => used.Alias is null ? used.Name : $"{used.Alias} = {used.Name}");
        string[] implicitly =
        [
            "System",
            "System.Collections.Generic",
            "System.IO",
            "System.Linq",
            "System.Threading",
            "System.Threading.Tasks",
        ];
        return string.Concat(implicitly.Concat(own).Select(used => $"global using {used};\n"));
    }

    /// <summary>What the tests run on, and the packages of the command; our own assemblies are read as sources.</summary>
    private static IEnumerable<MetadataReference> References()
    {
        IEnumerable<string> running = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator);
        using JsonDocument assets = JsonDocument.Parse(
            File.ReadAllText(Path.Combine(TestPaths.Repository, "src", "Diffusion.Cli", "obj", "project.assets.json"))
        );
        string packages = assets.RootElement.GetProperty("packageFolders").EnumerateObject().First().Name;
        IEnumerable<string> command =
            from library in assets.RootElement.GetProperty("targets").EnumerateObject().First().Value.EnumerateObject()
            where library.Value.TryGetProperty("compile", out _) && library.Value.GetProperty("type").GetString() == "package"
            from file in library.Value.GetProperty("compile").EnumerateObject()
            select Path.Combine(packages, library.Name.ToLowerInvariant(), file.Name);
        return running
            .Concat(command)
            .Where(file => file.EndsWith(".dll", StringComparison.Ordinal))
            .Where(file => !Path.GetFileName(file).StartsWith("Diffusion.", StringComparison.Ordinal))
            .DistinctBy(Path.GetFileName)
            .Select(file => MetadataReference.CreateFromFile(file))
            .ToArray();
    }
}
