using Diffusion.Evaluation;
using Diffusion.Numerics;
using Diffusion.Operators;
using Diffusion.Runtime;
using Diffusion.Solvers;

namespace Diffusion.Tests.Evaluation;

/// <summary>Bench files.</summary>
public sealed class BenchFileTests
{
    private static BenchPlan Parse(string yaml) => BenchFile.Parse(new StringReader(yaml), "my.yaml");

    [Fact]
    public void Every_key_is_read()
    {
        BenchPlan plan = Parse(
            """
            title: All keys
            sizes: [native, 256x200, crop 64x96]
            operators:
              - downsample:factor=4
              - {operator: "blur:sigma=2,boundary=circular", noise: [0.1, 12.75/255]}
            noise: [0, 0.02]
            solvers:
              - dpir
              - {solver: cm4ir, preset: few-step, set: {eta: 0.1, deltas: [0, 0.5]}, steps: [4, default]}
            priors: [photo, other.pt]
            steps: 8
            seeds: [0, 18446744073709551615]
            repeat: 3
            border: 4
            margin: 8
            baselines: false
            shown: 1
            """
        );
        Assert.Equal("All keys", plan.Title);
        Assert.Equal(["native", "256x200", "crop 64x96"], plan.Sizes.Select(size => size.ToString()));
        Assert.Equal(
            [
                new("downsample:factor=4", 0),
                new("downsample:factor=4", 0.02),
                new("blur:sigma=2,boundary=circular", 0.1),
                new("blur:sigma=2,boundary=circular", 0.05),
            ],
            plan.Tasks
        );
        Assert.Equal(["dpir", "cm4ir"], plan.Solvers.Select(solver => solver.Name));
        Assert.Equal("few-step", plan.Solvers[1].Preset);
        Assert.Equal("deltas=0,0.5; eta=0.1", plan.Solvers[1].SetText);
        Assert.Equal([4, null], plan.Solvers[1].Steps!);
        Assert.Equal(["photo", "other.pt"], plan.Priors);
        Assert.Equal([8], plan.Steps);
        Assert.Equal([0, ulong.MaxValue], plan.Seeds);
        Assert.Equal((3, 4, 8, false, 1), (plan.Repeat, plan.Border, plan.Margin, plan.Baselines, plan.Shown));
    }

    [Theory]
    [InlineData("opertors: [identity]", "line 1", "operators")]
    [InlineData("operators:\n  - {operator: identity, noises: 1}", "line 2", "noise")]
    [InlineData("operators: [identity]\nnoise: loud", "line 2", "loud")]
    [InlineData("operators: [identity]\nnoise: 20", "line 2", "[0,1]")]
    [InlineData("solvers:\n  - {preset: paper}", "line 2", "solver is missing")]
    [InlineData("steps: [4, 0]", "line 1", "number of evaluations")]
    [InlineData("sizes: 256", "line 1", "256x256")]
    [InlineData("title: [a, b", "line", "no YAML")]
    [InlineData("- a\n- b", "my.yaml", "mapping")]
    [InlineData("", "my.yaml", "mapping")]
    public void What_is_wrong_is_named_with_its_line(string yaml, params string[] words)
    {
        DiffusionException error = Assert.ThrowsAny<DiffusionException>(() => Parse(yaml));
        foreach (string word in words)
            Assert.Contains(word, error.Message);
    }

    [Theory]
    [InlineData("dpirr", null, "dpir")]
    [InlineData("dpir", "papr", "paper")]
    public void Unknown_solvers_and_presets_are_found_before_anything_is_loaded(string solver, string? preset, string near)
    {
        BenchPlan plan = new()
        {
            Pictures = ["a.png"],
            Operators = [new("identity")],
            Solvers = [new(solver) { Preset = preset }],
        };
        Assert.Contains(
            near,
            Assert.Throws<ArgumentException>(() => plan.Checked(ShippedOperators.Catalog, SolverCatalog.BuiltIn)).Message
        );
    }

    [Fact]
    public void Pictures_of_one_name_are_refused()
    {
        BenchPlan plan = new() { Pictures = ["a/x.png", "b/x.png"], Operators = [new("identity")] };
        Assert.Contains(
            "x.png",
            Assert.Throws<ArgumentException>(() => plan.Checked(ShippedOperators.Catalog, SolverCatalog.BuiltIn)).Message
        );
    }

    [Fact]
    public void The_files_that_ship_name_what_exists()
    {
        string[] files = Directory.GetFiles(Path.Combine(TestPaths.Repository, "src", "Diffusion.Cli", "bench"), "*.yaml");
        Assert.NotEmpty(files);
        foreach (string file in files)
            Assert.NotEmpty(
                (BenchFile.Read(file) with { Pictures = ["a.png"] }).Checked(ShippedOperators.Catalog, SolverCatalog.BuiltIn).Tasks
            );
    }
}
