using Diffusion.Inverse;
using Diffusion.Operators;
using Diffusion.Runtime;

namespace Diffusion.Tests.Inverse;

public sealed class ComposedOperatorTests
{
    [Theory]
    [InlineData("gray:weights=unit")]
    [InlineData("gray")]
    [InlineData("crop:box=48x40+3+5")]
    public void After_orthogonal_rows_the_second_operator_solves_and_reports(string first)
    {
        using ComputeScope scope = new();
        ImageShape picture = new(3, 64, 72);
        const string Motion = "blur:kernel=motion,length=9,angle=30";
        using LinearOperator a1 = ShippedOperators.Catalog.Parse(first).Bind(picture),
            a2 = ShippedOperators.Catalog.Parse(Motion).Bind(a1.Output.Image),
            both = ShippedOperators.Catalog.Parse($"{first}|{Motion}").Bind(picture);
        double c = a1.Traits.RowNormSquared!.Value;
        Tensor x = new PhiloxNoise(5, [default]).Draw(NoiseRole.Step, picture.Batch(1)),
            y = both.Apply(x);
        SolveRequest alone = new() { Precision = new(3e-3, 1e-4), Log = new() },
            composed = alone with { Log = new() };

        Tensor expected = a1.Adjoint(a2.PseudoInverse(y, 5e-3 / c, alone)) / c;
        Close(expected, both.PseudoInverse(y, 5e-3, composed));
        Assert.Equal(alone.Log.Last, composed.Log.Last);
        Assert.InRange(composed.Log.Last!.Value.Iterations, 1, 14);

        a2.SolveNormal(a1.Apply(x), 5e-3 / c, alone with { Precision = new(3e-3, 1e-4 * c) });
        both.SolveNormal(x, 5e-3, composed);
        Assert.Equal(alone.Log.Iterations, composed.Log.Iterations);

        Tensor solution = both.SolveNormal(x, 5e-3);
        both.SolveNormal(x, 5e-3, composed with { Start = solution });
        Assert.InRange(composed.Log.Last!.Value.Iterations, 0, 1);
        Assert.Equal(c * a2.NormSquared, both.NormSquared, 1e-9);
    }

    [Fact]
    public void An_error_that_does_not_matter_is_told_in_the_second_operators_units()
    {
        using ComputeScope scope = new();
        ImageShape picture = new(3, 64, 72);
        using LinearOperator a1 = ShippedOperators.Catalog.Parse("gray").Bind(picture),
            a2 = ShippedOperators.Catalog.Parse("blur:kernel=motion,length=9,angle=30").Bind(a1.Output.Image),
            both = ShippedOperators.Catalog.Parse("gray|blur:kernel=motion,length=9,angle=30").Bind(picture);
        double c = a1.Traits.RowNormSquared!.Value;
        Tensor b = new PhiloxNoise(5, [default]).Draw(NoiseRole.Step, picture.Batch(1));
        SolveLog alone = new(),
            composed = new();
        foreach (double error in (double[])[1e-1, 1e-2, 1e-3])
        {
            a2.SolveNormal(a1.Apply(b), 1e-3 / c, new() { Precision = new(1e-9, error * c), Log = alone });
            both.SolveNormal(b, 1e-3, new() { Precision = new(1e-9, error), Log = composed });
        }
        Assert.Equal(alone.Iterations, composed.Iterations);
        Assert.Equal(0, composed.Unconverged);
    }

    [Fact]
    public void The_parts_of_a_chain_are_told_how_exact_to_be()
    {
        using ComputeScope scope = new();
        using LinearOperator a = ShippedOperators
            .Catalog.Parse("blur:kernel=motion,length=9,angle=30|mask:random=0.3")
            .Bind(new ImageShape(3, 48, 40));
        Tensor y = a.Apply(new PhiloxNoise(5, [default]).Draw(NoiseRole.Step, 1, 3, 48, 40));
        SolveLog rough = new(),
            exact = new();
        a.Guess(y, new() { Precision = new(1e-2), Log = rough });
        a.Guess(y, new() { Log = exact });
        Assert.Equal(1, rough.Solutions);
        Assert.True(rough.Iterations < exact.Iterations, $"{rough.Iterations} of {exact.Iterations}");
    }

    private static void Close(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        Assert.True((expected - actual).abs().max().item<float>() <= 1e-5 * expected.abs().max().item<float>());
    }
}
