using Diffusion.Inverse;
using Diffusion.Runtime;

namespace Diffusion.Tests.Inverse;

public sealed class KrylovTests
{
    [Fact]
    public void Least_squares_by_iteration_is_the_pseudo_inverse()
    {
        using ComputeScope scope = new();
        foreach ((int m, int n) in ((int, int)[])[(6, 10), (12, 9), (8, 8)])
        {
            using Dense a = new(m, n);
            Tensor y = Draw(3, m);
            Close(y.matmul(torch.linalg.pinv(a.Matrix).t()), Krylov.Lsqr(a, y, 0, new() { Precision = new(1e-7) }).flatten(1), 2e-3);
            Tensor damped = a.Matrix.t().matmul(torch.linalg.inv(a.Matrix.matmul(a.Matrix.t()) + 0.3f * torch.eye(m)));
            Close(y.matmul(damped.t()), Krylov.Lsqr(a, y, 0.3).flatten(1), 1e-4);
            Close(y.matmul(damped.t()), a.PseudoInverse(y, 0.3).flatten(1), 1e-4);
        }
    }

    [Fact]
    public void Normal_equations_are_solved_and_a_good_start_or_preconditioner_saves_iterations()
    {
        using ComputeScope scope = new();
        using Dense a = new(10, 14);
        Tensor b = Draw(2, 14).reshape(a.Input.Batch(2)),
            inverse = torch.linalg.inv(a.Matrix.t().matmul(a.Matrix) + 0.2f * torch.eye(14));
        SolveRequest request = new() { Precision = new(1e-5), Log = new() };
        Tensor plain = Krylov.ConjugateGradients(a, b, 0.2, request);
        Close(b.flatten(1).matmul(inverse), plain.flatten(1), 1e-4);
        Assert.True(request.Log.Last is { Converged: true, Residual: <= 1e-5 });
        Krylov.ConjugateGradients(a, b, 0.2, request with { Start = plain });
        Assert.InRange(request.Log.Last!.Value.Iterations, 0, 1);
        Krylov.ConjugateGradients(a, b, 0.2, request, precondition: r => r.flatten(1).matmul(inverse).reshape(r.shape));
        Assert.InRange(request.Log.Last!.Value.Iterations, 0, 2);
    }

    [Fact]
    public void A_solution_that_stops_at_its_limit_says_so()
    {
        using ComputeScope scope = new();
        using Dense a = new(10, 14);
        SolveRequest request = new() { Log = new() };
        Krylov.ConjugateGradients(a, Draw(2, 14).reshape(a.Input.Batch(2)), 0.2, request, maxIterations: 2);
        Assert.True(request.Log.Last is { Converged: false, Iterations: 2, Residual: > 1e-5 });
        Krylov.Lsqr(a, Draw(2, 10), 0.2, request, maxIterations: 3);
        Assert.True(request.Log.Last is { Converged: false, Iterations: 3, Residual: > 1e-6 });
        Krylov.Lsqr(a, Draw(2, 10), 0.2, request);
        Assert.True(request.Log.Last is { Converged: true });
        Assert.Equal((3, 2), (request.Log.Solutions, request.Log.Unconverged));
    }

    [Fact]
    public void An_error_that_does_not_matter_is_left()
    {
        using ComputeScope scope = new();
        using Dense a = new(60, 80);
        const double Rho = 0.1;
        Tensor b = Draw(2, 80).reshape(a.Input.Batch(2)),
            system = a.Matrix.t().matmul(a.Matrix) + Rho * torch.eye(80),
            exact = b.flatten(1).matmul(torch.linalg.inv(system));
        Tensor rough = torch.linalg.inv(system + 0.3 * torch.diag(torch.linspace(0, 1, 80)));
        int before = int.MaxValue;
        foreach (double error in (double[])[1e-4, 1e-3, 1e-2])
        {
            SolveRequest request = new() { Precision = new(1e-6, error), Log = new() };
            Tensor found = Krylov.ConjugateGradients(a, b, Rho, request, precondition: r => r.flatten(1).matmul(rough).reshape(r.shape));
            int iterations = request.Log.Last!.Value.Iterations;
            Tensor e = found.flatten(1) - exact;
            double energy = (e.matmul(system) * e).mean([1L]).sqrt().max().item<float>();
            Assert.InRange(energy, error / 100, 1.5 * error);
            Assert.True(iterations < before, $"{iterations} iterations for {error}");
            before = iterations;
        }
        Assert.Equal(Iterations(new(1e-4)), Iterations(new(1e-4, 1)));

        long Iterations(SolvePrecision precision)
        {
            SolveLog log = new();
            Krylov.ConjugateGradients(a, b, Rho, new() { Precision = precision, Log = log });
            return log.Iterations;
        }
    }

    [Fact]
    public void A_picture_converges_as_it_would_alone()
    {
        using ComputeScope scope = new();
        using Dense a = new(10, 14);
        Tensor b = Draw(3, 14).reshape(a.Input.Batch(3));
        b[1] = a.Adjoint(a.Apply(torch.ones(a.Input.Batch(1))))[0];
        b[2].zero_();
        Tensor batch = Krylov.ConjugateGradients(a, b, 0.1);
        for (int i = 0; i < 3; i++)
            Close(Krylov.ConjugateGradients(a, b.narrow(0, i, 1), 0.1), batch.narrow(0, i, 1), 1e-4);
        Assert.Equal(0, batch[2].abs().max().item<float>());
    }

    [Fact]
    public void The_norm_and_the_derived_adjoint_are_right()
    {
        using ComputeScope scope = new();
        using Dense a = new(6, 10);
        Tensor y = Draw(2, 6);
        Close(y.matmul(a.Matrix), a.Adjoint(y).flatten(1), 1e-5);
        double largest = torch.linalg.svdvals(a.Matrix)[0].item<float>();
        Assert.Equal(largest * largest, a.NormSquared, largest * largest * 0.01);
    }

    [Fact]
    public void Not_a_number_ends_the_iteration_with_a_hint()
    {
        using ComputeScope scope = new();
        using Dense a = new(6, 10);
        Tensor y = Draw(1, 6);
        y[0, 0] = torch.tensor(float.NaN);
        Assert.Contains("operators check", Assert.Throws<NumericalException>(() => Krylov.Lsqr(a, y, 0)).Message, StringComparison.Ordinal);
    }

    private static Tensor Draw(int n, int count) =>
        new PhiloxNoise(4, [.. Enumerable.Range(0, n).Select(i => new ImageKey((ulong)i))]).Draw(NoiseRole.Step, n, count);

    private static void Close(Tensor expected, Tensor actual, double tolerance)
    {
        Assert.Equal(expected.shape, actual.shape);
        Assert.True((expected - actual).abs().max().item<float>() <= tolerance * Math.Max(1, expected.abs().max().item<float>()));
    }

    // An operator with nothing but its function.
    private sealed class Dense(int m, int n) : LinearOperator
    {
        public Tensor Matrix { get; } = (Draw(m, n) / Math.Sqrt(n)).DetachFromDisposeScope();
        public override ImageShape Input { get; } = new(1, 1, n);
        public override MeasurementShape Output { get; } = new(m);

        public override Tensor Apply(Tensor x) => x.flatten(1).matmul(Matrix.t());

        public override void Dispose()
        {
            Matrix.Dispose();
            base.Dispose();
        }
    }
}
