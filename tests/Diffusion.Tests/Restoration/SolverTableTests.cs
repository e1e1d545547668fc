using Diffusion.Evaluation;
using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Operators;
using Diffusion.Restoration;
using Diffusion.Solvers;

namespace Diffusion.Tests.Restoration;

public sealed class SolverTableTests
{
    private static readonly PriorInfo Prior = new() { Name = "photo", Kind = PriorKind.PosteriorMean };

    [Fact]
    public void The_table_is_that_of_the_bench_file_that_ships()
    {
        BenchPlan plan = BenchFile.Read(Path.Combine(TestPaths.Repository, "src", "Diffusion.Cli", "bench", "auto.yaml"));
        IReadOnlyList<SolverTableRow> rows = SolverTable.Shipped.Rows;
        string[] planned =
        [
            .. from task in plan.Tasks
            from solver in plan.Solvers
            from steps in plan.Steps
            select FormattableString.Invariant($"{ShippedOperators.Catalog.Parse(task.Operator)} {task.Noise} {solver.Name} {steps}"),
        ];
        Assert.Equal(
            planned.Order(),
            rows.Select(row =>
                    FormattableString.Invariant(
                        $"{ShippedOperators.Catalog.Parse(row.Operator)} {row.Noise} {row.Solver} {row.Evaluations}"
                    )
                )
                .Order()
        );
        Assert.All(rows, row => Assert.InRange(row.Psnr, 5, 60));
    }

    [Fact]
    public void What_was_measured_gets_the_best_solver_that_was_measured()
    {
        int met = 0;
        foreach (var group in SolverTable.Shipped.Rows.GroupBy(row => (row.Operator, row.Noise, row.Evaluations)))
        {
            using LinearOperator a = ShippedOperators.Catalog.Parse(group.Key.Operator).Bind(new ImageShape(3, 64, 64));
            SolverAdvice advice = SolverTable.Shipped.Advise(PresetRequest.For(a, group.Key.Noise, Prior, group.Key.Evaluations));
            Assert.Contains($"{group.Key.Evaluations} evaluations", advice.Reason);
            // Two blurs look alike to it.
            if (!advice.Reason.Contains(group.Key.Operator + ",", StringComparison.Ordinal))
                continue;
            Assert.Equal(group.Max(row => row.Psnr), group.Single(row => row.Solver == advice.Solver).Psnr);
            met++;
        }
        Assert.True(met >= 14, $"{met}");
    }

    [Theory]
    [InlineData("blur:kernel=motion,length=9,angle=20", "blur")]
    [InlineData("downsample:factor=8,kernel=box", "downsample")]
    [InlineData("mask:box=8x8+4+4", "mask")]
    [InlineData("fourier", "hadamard")]
    public void Other_degradations_are_judged_by_their_kind(string spec, string measured)
    {
        using LinearOperator a = ShippedOperators.Catalog.Parse(spec).Bind(new ImageShape(3, 64, 64));
        Assert.Contains($"nearest measured: {measured}", SolverTable.Shipped.Advise(PresetRequest.For(a, 0.02, Prior)).Reason);
    }

    [Theory]
    [InlineData("identity", "mirror")]
    [InlineData("mask:random=0.5", "mirror")]
    public void Pixels_that_are_unequally_noisy_get_the_solver_that_weighs_them_to_its_end(string spec, string solver)
    {
        using LinearOperator a = ShippedOperators.Catalog.Parse(spec).Bind(new ImageShape(3, 64, 64));
        PresetRequest even = PresetRequest.For(a, 0.02, Prior);
        Assert.Equal("dpir", SolverTable.Shipped.Advise(even).Solver);
        Assert.Equal(solver, SolverTable.Shipped.Advise(even with { Uneven = true }).Solver);
    }

    [Fact]
    public void A_consistency_model_gets_the_solver_that_was_made_for_it()
    {
        foreach ((string name, string expected) in new[] { ("photo-cm", "mirror"), ("cd_bedroom256_lpips", "cm4ir") })
        {
            PriorInfo prior = Prior with { Name = name, Kind = PriorKind.Consistency };
            Assert.Equal(expected, SolverTable.Shipped.Advise(new PresetRequest(new OperatorTraits { Mask = true }, 0.02, prior)).Solver);
        }
    }
}
