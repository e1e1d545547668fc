namespace Diffusion.EndToEnd;

/// <summary><c>diffusion bench</c>.</summary>
public sealed class BenchTests(Workspace workspace) : IClassFixture<Workspace>
{
    private Outcome Run(params string[] args) => DiffusionCommand.Run(workspace.Folder, ["bench", .. args]);

    [Fact]
    public void A_shipped_bench_file_writes_table_summary_and_report_and_goes_on_where_it_stopped()
    {
        string photo = Path.Combine(DiffusionCommand.DemoPhotos, "cat.png");
        Outcome first = Run(
                "restoration",
                "--images",
                photo,
                "--sizes",
                "crop 48x52",
                "-n",
                "2",
                "--repeat",
                "1",
                "--shown",
                "1",
                "-o",
                "out"
            )
            .Expect(0);
        Assert.Contains("| dpir | photo | 2 |", first.Output);
        Assert.Contains("## downsample:factor=4, noise 0.02, crop 48x52", first.Output);
        string table = workspace["out/results.csv"];
        string[] lines = File.ReadAllLines(table);
        // The header, 6 baselines, and 3 tasks x 3 solvers.
        Assert.Equal(1 + 6 + 9, lines.Length);
        Assert.Contains("data:image/webp", File.ReadAllText(workspace["out/report.html"]));
        // As a kill in the middle of a line leaves it.
        File.WriteAllText(table, string.Join('\n', lines[..^2]) + '\n' + lines[^2][..20]);
        Outcome second = Run("restoration", "--images", photo, "--sizes", "crop 48x52", "-n", "2", "--repeat", "1", "-o", "out").Expect(0);
        Assert.Contains("2 of them to do", second.Error);
        Assert.Equal(lines.Length, File.ReadAllLines(table).Length);
    }

    [Fact]
    public void An_unknown_bench_file_is_one_line_with_the_nearest_match() =>
        Run("restoratoin", "--images", DiffusionCommand.DemoPhotos).ExpectError(2, "restoration");
}
