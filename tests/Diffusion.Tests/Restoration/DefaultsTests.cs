using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Operators;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.Solvers;
using Diffusion.Tests.Checkpoints;
using Diffusion.Tests.Parity;

namespace Diffusion.Tests.Restoration;

/// <summary>What the defaults of operators stand on.</summary>
public sealed class DefaultsTests
{
    [Theory]
    [InlineData("hadamard:ratio=0.25", 32)]
    [InlineData("fourier:acceleration=4", 32)]
    [InlineData("blur:sigma=2", 8)]
    [InlineData("mask:random=0.8", 8)]
    [InlineData("crop", 8)]
    [InlineData("gray", 2)]
    [InlineData("gray:weights=bt601", 2)]
    [InlineData("gray|blur:sigma=2", 8)]
    [InlineData("gray|fourier", 32)]
    public void Where_what_is_missing_is_spread_over_the_picture_more_steps_fill_it_in(string spec, int evaluations)
    {
        using ComputeScope scope = new();
        using LinearOperator a = ShippedOperators.Catalog.Parse(spec).Bind(new ImageShape(3, 32, 32));
        PresetRequest request = PresetRequest.For(a, 0.02, new PriorInfo { Name = "", Kind = PriorKind.PosteriorMean });
        foreach (string solver in (string[])["dpir", "mirror", "twin", "ddnm"])
        {
            Assert.Equal(evaluations, SolverCatalog.BuiltIn.Create(solver, null, request, null).Evaluations);
            Assert.Equal(4, SolverCatalog.BuiltIn.Create(solver, null, request with { MaxEvaluations = 4 }, null).Evaluations);
        }
    }

    [Theory]
    [InlineData("hadamard:ratio=0.5", "mirror", 1.0)]
    [InlineData("gray|hadamard:ratio=0.25", "mirror", 1.0)]
    [InlineData("hadamard:ratio=0.25,order=sequency", null, 0.52)]
    [InlineData("fourier:acceleration=4", null, 0.52)]
    public void Where_the_coarse_structure_is_missing_the_ladder_begins_high(string spec, string? advised, double start)
    {
        using ComputeScope scope = new();
        using LinearOperator a = ShippedOperators.Catalog.Parse(spec).Bind(new ImageShape(3, 32, 32));
        PresetRequest request = PresetRequest.For(a, 0.02, new PriorInfo { Name = "", Kind = PriorKind.PosteriorMean });
        MirrorSolver mirror = Assert.IsType<MirrorSolver>(SolverCatalog.BuiltIn.Create("mirror", null, request, null));
        Assert.Equal(start, mirror.SigmaStart, 0.05);
        if (advised is not null)
            Assert.Equal(advised, SolverTable.Shipped.Advise(request).Solver);
    }

    /// <summary>A matrix is what its rows are: random numbers, the lowest or scattered waves, or blurs.</summary>
    [Theory]
    [InlineData("random", true, true)]
    [InlineData("lowest", true, false)]
    [InlineData("scattered", true, true)]
    [InlineData("blur", false, false)]
    [InlineData("whole", false, false)]
    public void A_matrix_that_mixes_the_whole_picture_gets_the_steps_of_a_transform(string rows, bool transform, bool coarseMissing)
    {
        using ComputeScope scope = new();
        using Scratch scratch = new();
        ImageShape shape = rows is "lowest" or "scattered" ? new(1, 16, 16) : new(1, 12, 16);
        Tensor matrix = rows switch
        {
            "lowest" => MatrixOf("hadamard:ratio=0.3,order=sequency", shape),
            "scattered" => MatrixOf("hadamard:ratio=0.3", shape),
            "blur" => MatrixOf("blur:sigma=1|downsample:factor=2,kernel=decimate", shape),
            "whole" => new PhiloxNoise(2, [default]).Draw(NoiseRole.Measurement, 1, shape.Count, shape.Count)[0],
            _ => new PhiloxNoise(2, [default]).Draw(NoiseRole.Measurement, 1, shape.Count / 2, shape.Count)[0],
        };
        string file = scratch.At("a.npy");
        NpyFile.Write(file, matrix);
        using LinearOperator a = ShippedOperators.Catalog.Parse($"matrix:file={file}").Bind(shape);
        Assert.Equal((transform, coarseMissing), (a.Traits.Transform, a.Traits.CoarseMissing));

        static Tensor MatrixOf(string spec, ImageShape shape)
        {
            using LinearOperator a = ShippedOperators.Catalog.Parse(spec).Bind(shape);
            return a.Apply(torch.eye(shape.Count).reshape(shape.Count, 1, shape.Height, shape.Width))
                .reshape(shape.Count, -1)
                .t()
                .contiguous();
        }
    }

    [Fact]
    public void A_circular_blur_before_decimation_starts_as_sharp_as_a_symmetric_one()
    {
        using ComputeScope scope = new();
        Tensor x = Stripes();
        double circular = Error(x, "blur:kernel=motion,length=15,boundary=circular|downsample:factor=2,kernel=decimate"),
            symmetric = Error(x, "blur:kernel=motion,length=15|downsample:factor=2,kernel=decimate");
        Assert.True(circular < 1.1 * symmetric, $"{circular} {symmetric}");
    }

    [Fact]
    public void Least_variation_finds_a_cartoon_in_half_of_its_coefficients()
    {
        using ComputeScope scope = new();
        Tensor x = Stripes();
        using LinearOperator a = ShippedOperators.Catalog.Parse("hadamard:ratio=0.5").Bind(new ImageShape(3, 64, 64));
        Tensor y = a.Apply(x) + 0.01 * new PhiloxNoise(1, [default]).Draw(NoiseRole.Measurement, a.Output.Batch(1));
        double variation = (Baselines.LeastVariation(a, y, 0.01, x) - x).square().mean().sqrt().item<float>(),
            damped = (Baselines.Tikhonov(a, y, 0.01, x) - x).square().mean().sqrt().item<float>();
        Assert.True(variation < 0.5 * damped, $"{variation} {damped}");
        double guess = (a.Guess(y * 2 - a.Apply(torch.ones_like(x))) / 2 + 0.5 - x).square().mean().sqrt().item<float>();
        Assert.True(guess < 0.7 * damped, $"{guess} {damped}");
    }

    private static Tensor Stripes()
    {
        Tensor rows = torch.arange(64).unsqueeze(1),
            columns = torch.arange(64);
        Tensor disk = ((rows - 30).square() + (columns - 28).square()).lt(300),
            box = rows.gt(40).logical_and(columns.gt(36)).logical_and(columns.lt(56));
        Tensor plane = 0.3 + 0.4 * disk.to(ScalarType.Float32) + 0.25 * box.to(ScalarType.Float32);
        return torch.stack([plane, plane * 0.8, 1 - plane]).unsqueeze(0).contiguous();
    }

    private static double Error(Tensor x, string spec)
    {
        using LinearOperator a = ShippedOperators.Catalog.Parse(spec).Bind(new ImageShape(3, 64, 64));
        return (a.Guess(a.Apply(x)) - x).square().mean().sqrt().item<float>();
    }
}
