using System.Text.Json.Nodes;
using System.Xml.Linq;
using Diffusion.Jupyter.Notebooks;
using Diffusion.Jupyter.Scripting;
using Diffusion.Runtime;

namespace Diffusion.Tests.Notebooks;

/// <summary>A notebook has one source; what is written from it agrees with it.</summary>
public sealed class NotebookSourceTests
{
    private static readonly string Folder = Path.Combine(TestPaths.Repository, "notebooks");

    public static TheoryData<string> Sources =>
        [
            .. Directory
                .EnumerateFiles(Path.Combine(Folder, "sources"), "*.md")
                .Select(file => Path.GetFileName(file))
                .Order(StringComparer.Ordinal),
        ];

    [Theory, MemberData(nameof(Sources))]
    public void The_program_is_what_the_source_gives(string name)
    {
        NotebookSource source = NotebookSource.Read(Path.Combine(Folder, "sources", name));
        Assert.Equal(NotebookProgram.Of(source), File.ReadAllText(Path.Combine(Folder, source.Name + ".cs")));
    }

    [Theory, MemberData(nameof(Sources))]
    public void The_notebook_has_the_cells_of_the_source_and_what_came_of_them(string name)
    {
        NotebookSource source = NotebookSource.Read(Path.Combine(Folder, "sources", name));
        string kept = File.ReadAllText(Path.Combine(Folder, source.Name + ".ipynb"));
        JsonObject[] code =
        [
            .. JsonNode.Parse(kept)!["cells"]!
                .AsArray()
                .Select(cell => cell!.AsObject())
                .Where(cell => cell["cell_type"]!.GetValue<string>() == "code"),
        ];
        JsonArray[] outputs = [.. code.Select(cell => cell["outputs"]!.AsArray())];
        Assert.Equal(NotebookFile.Of(source, outputs), kept);
        Assert.Contains(outputs, cell => cell.Any(output => output!["data"]?["image/png"] is not null));
        Assert.DoesNotContain(outputs, cell => cell.Any(output => output!["output_type"]!.GetValue<string>() == "error"));
    }

    [Fact]
    public void Programs_find_open_what_cells_do()
    {
        string[] programs =
        [
            .. XDocument
                .Load(Path.Combine(Folder, "Directory.Build.props"))
                .Descendants("Using")
                .Where(used => used.Attribute("Alias") is null)
                .Select(used => used.Attribute("Include")!.Value),
        ];
        Assert.Equal(OpenLibraries.Namespaces.Where(name => !name.StartsWith("System", StringComparison.Ordinal)), programs);
    }

    [Fact]
    public void Types_go_to_the_end_of_a_program_and_usings_to_its_beginning()
    {
        NotebookSource source = new(
            "sample",
            [
                new(false, "# Title"),
                new(true, "using System.Numerics;\nrecord Twice(int X);\nint y = new Twice(2).X;"),
                new(true, "Console.WriteLine(y); // said\n"),
            ]
        );
        string[] lines = NotebookProgram.Of(source).Split('\n');
        int At(string text) => Array.FindIndex(lines, line => line.Contains(text, StringComparison.Ordinal));
        Assert.True(At("using System.Numerics;") < At("// # Title"));
        Assert.True(At("// # Title") < At("int y"));
        Assert.True(At("Console.WriteLine(y)") < At("record Twice"));
    }

    [Fact]
    public void A_block_without_an_end_is_an_error()
    {
        string path = Path.Combine(Directory.CreateTempSubdirectory().FullName, "open.md");
        File.WriteAllText(path, "# Title\n```csharp\nint x;\n");
        Assert.Contains("no end", Assert.Throws<DiffusionException>(() => NotebookSource.Read(path)).Message);
    }
}
