using System.Diagnostics;

namespace Diffusion.EndToEnd;

/// <summary>The settings of the parser, each by a run of the command.</summary>
public sealed class ParserTests(Workspace workspace) : IClassFixture<Workspace>
{
    private Outcome Run(params string[] args) => DiffusionCommand.Run(workspace.Folder, args);

    [Fact]
    public void A_misspelt_verb_is_one_line_with_the_nearest_match() =>
        Run("restor", "a.png").ExpectError(2, "restor", "Did you mean \"restore\"?");

    [Fact]
    public void A_misspelt_option_is_an_error_with_the_nearest_match_and_never_an_input_file() =>
        Run("restore", "a.png", "-A", "identity", "--nosie", "0.1").ExpectError(2, "--nosie", "--noise");

    [Fact]
    public void A_misspelt_option_is_no_value_of_the_option_before_it() =>
        Run("restore", "a.png", "-A", "identity", "--output", "--nosie").ExpectError(2, "--nosie");

    [Fact]
    public void After_two_dashes_a_word_is_a_file_whatever_it_looks_like() =>
        Run("restore", "-A", "identity", "--noise", "0.1", "--", "--nosie").ExpectError(1, "no such file", "--nosie");

    [Fact]
    public void A_word_that_begins_with_an_at_sign_is_a_file_name()
    {
        File.WriteAllText(workspace["list.txt"], "--version\n");
        Run("restore", "-A", "identity", "--noise", "0.1", "@list.txt").ExpectError(1, "no such file", "@list.txt");
    }

    [Fact]
    public void A_missing_value_names_the_option() => Run("restore", "a.png", "--noise").ExpectError(2, "--noise");

    [Fact]
    public void Help_shows_examples_and_loads_no_heavy_library()
    {
        Outcome help = DiffusionCommand.Run(workspace.Folder, [("LD_DEBUG", "files")], ["restore", "--help"]).Expect(0);
        Assert.Contains("Examples:", help.Output);
        Assert.Contains("diffusion restore small.png", help.Output);
        Assert.DoesNotContain("libtorch", help.Error);
        Assert.DoesNotContain("libvips", help.Error);
    }

    [Fact]
    public void The_version_goes_to_standard_output()
    {
        Outcome version = Run("--version").Expect(0);
        Assert.Matches(@"^\d+\.\d+\.\d+", version.Output);
        Assert.Empty(version.Error);
    }

    [Fact]
    public void The_list_of_operators_loads_no_native_library()
    {
        // glibc's loader tells every file that it opens.
        Outcome list = DiffusionCommand.Run(workspace.Folder, [("LD_DEBUG", "files")], ["operators", "list"]).Expect(0);
        foreach (string name in (string[])["identity", "downsample", "blur", "mask", "gray"])
            Assert.Contains(name + ":", list.Output);
        Assert.DoesNotContain("libtorch", list.Error);
        Assert.DoesNotContain("LibTorchSharp", list.Error);
        Assert.DoesNotContain("libvips", list.Error);
        if (OperatingSystem.IsLinux())
            Assert.Contains("libcoreclr", list.Error);
    }

    [Fact]
    public void A_closed_standard_output_ends_quietly()
    {
        if (OperatingSystem.IsWindows())
            return;
        using Process process = DiffusionCommand.Start(workspace.Folder, "operators", "list", "--json");
        process.StandardOutput.Close();
        Assert.Empty(process.StandardError.ReadToEnd());
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    [Fact]
    public void Json_is_one_object_a_line_with_the_number_of_the_schema()
    {
        string[] lines = Run("solvers", "list", "--json").Expect(0).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(lines, line => Assert.Equal(1, (int)System.Text.Json.Nodes.JsonNode.Parse(line)!["schema"]!));
        Assert.Contains(lines, line => line.Contains("\"cm4ir\""));
    }

    [Fact]
    public void A_completion_script_is_printed() => Assert.Contains("complete ", Run("completion", "bash").Expect(0).Output);

    [Fact]
    public void Completion_knows_the_verbs() => Assert.Contains("restore", Run("[suggest:12]", "diffusion re").Expect(0).Output);
}
