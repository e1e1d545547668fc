using System.Diagnostics;
using System.Text.RegularExpressions;
using Diffusion.Imaging;

namespace Diffusion.EndToEnd;

/// <summary>
/// The examples of every verb's help, run as they stand in a folder with the files that they name. Slow: run with <c>--explicit only
/// --filter-trait Category=slow</c>.
/// </summary>
[Trait("Category", "slow")]
public sealed partial class ExampleTests(Workspace workspace) : IClassFixture<Workspace>
{
    [Fact(Explicit = true)]
    public void Every_example_of_the_help_runs_as_it_stands()
    {
        if (OperatingSystem.IsWindows())
            return;
        string[] examples = [.. ExamplesOf([]).Distinct()];
        Assert.True(examples.Length > 40, $"There are only {examples.Length} examples.");
        // Training for hours is the one thing that is not tried here; TrainingTests train for seconds.
        // What needs a set, pairs, faces or gigabytes of weights is run by tests of its own.
        string[] elsewhere = ["--hours", "synthesize stats", "synthesize verify", "validate-face", "gendeg/", "my-restorer"];
        foreach (string example in examples.Where(example => !elsewhere.Any(part => example.Contains(part, StringComparison.Ordinal))))
        {
            string folder = WriteFiles(example);
            (int code, string output) = Shell(folder, example);
            Assert.True(code == 0, $"{example}\nended with {code}:\n{output}");
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>A new folder with the files that examples name; those that the example itself makes are not there.</summary>
    private string WriteFiles(string example)
    {
        string folder = Directory.CreateDirectory(workspace["an example"]).FullName;
        string In(string name) => Path.Combine(folder, name);
        foreach (string name in (string[])["photo", "restored", "photos/a", "photos/b", "restored/a", "restored/b", "CBSD68/a"])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(In(name))!);
            TestPictures.Write(In(name + ".png"), 64, 96);
        }
        if (example.StartsWith("diffusion face", StringComparison.Ordinal))
        {
            Directory.CreateDirectory(In("album"));
            File.Copy(Path.Combine(Path.GetDirectoryName(DiffusionCommand.Path)!, "demo", "astronaut.png"), In("album/group.png"));
        }
        if (example.StartsWith("diffusion synthesize stats", StringComparison.Ordinal))
            foreach (string name in (string[])["pairs/clean/a", "pairs/degraded/a"])
            {
                Directory.CreateDirectory(Path.GetDirectoryName(In(name))!);
                TestPictures.Write(In(name + ".png"), 64, 96);
            }
        if (example.StartsWith("diffusion synthesize verify", StringComparison.Ordinal))
            DiffusionCommand.Run(folder, "synthesize", "photo.png", "-o", "rainy", "-d", "rain", "-q").Expect(0);
        using (Picture restored = ImageFile.Read(In("restored.png")))
            ImageFile.Write(In("restored.tif"), restored, new WriteOptions { BitDepth = 32 });
        if (!example.StartsWith("diffusion degrade", StringComparison.Ordinal))
        {
            Directory.CreateDirectory(In("blurred"));
            TestPictures.Write(In("small.png"), 16, 24);
            TestPictures.Degrade(In("small.tif"), "downsample:factor=4", 0.02, 64, 96);
            TestPictures.Degrade(In("blurred/a.tif"), "blur:sigma=2", 0.02, 64, 96);
        }
        string prior = Path.Combine(Path.GetDirectoryName(DiffusionCommand.Path)!, "checkpoints", "photo"),
            parity = Path.Combine(Repository, "tests", "parity", "checkpoints");
        foreach (string copy in (string[])["my-prior", "photo-cm", "photo-tuned"])
        {
            Directory.CreateDirectory(In(copy));
            Directory.CreateSymbolicLink(In(copy + "/prior"), prior);
        }
        if (!example.Contains("-o model.safetensors", StringComparison.Ordinal))
            File.CreateSymbolicLink(In("model.safetensors"), Path.Combine(prior, "photo.safetensors"));
        File.Copy(Path.Combine(parity, "zip-plain", "model.pt"), In("model.pt"));
        File.Copy(Path.Combine(parity, "zip-lightning", "last.ckpt"), In("model.ckpt"));
        File.WriteAllText(In("notebook.md"), "# A notebook\n\n```csharp\nNotebook.Show(torch.rand(3, 8, 8));\n```\n");
        File.WriteAllText(In("my.yaml"), "operators: [identity]\nsolvers: [dpir]\nsteps: 1\n");
        return folder;
    }

    private IEnumerable<string> ExamplesOf(string[] verb)
    {
        (int code, string help) = Shell(workspace.Folder, $"diffusion {string.Join(' ', verb)} --help");
        Assert.Equal(0, code);
        string[] lines = help.Split('\n');
        foreach (
            string line in lines.SkipWhile(line => line != "Examples:").Skip(1).Select(line => line.Trim()).Where(line => line.Length > 0)
        )
            yield return line;
        foreach (
            string line in lines
                .SkipWhile(line => line != "Commands:")
                .Skip(1)
                .TakeWhile(line => line.StartsWith("  ", StringComparison.Ordinal))
        )
            if (Command().Match(line) is { Success: true } command)
                foreach (string example in ExamplesOf([.. verb, command.Groups[1].Value]))
                    yield return example;
    }

    private (int Code, string Output) Shell(string folder, string line)
    {
        ProcessStartInfo start = new("/bin/bash", ["-c", line])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PATH"] = Path.GetDirectoryName(DiffusionCommand.Path) + ":" + start.Environment["PATH"];
        start.Environment["HOME"] = workspace.Folder;
        start.Environment["PROFILE"] = "profile.ps1";
        start.Environment["NO_COLOR"] = "1";
        start.Environment["COLUMNS"] = "200";
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + error.Result);
    }

    private static string Repository =>
        typeof(ExampleTests)
            .Assembly.GetCustomAttributes(typeof(System.Reflection.AssemblyMetadataAttribute), false)
            .Cast<System.Reflection.AssemblyMetadataAttribute>()
            .Single(a => a.Key == "RepositoryRoot")
            .Value!;

    [GeneratedRegex(@"^  ([a-z]+)(\s|$)")]
    private static partial Regex Command();
}
