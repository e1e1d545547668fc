using Diffusion.Runtime;

namespace Diffusion.Inverse;

/// <summary>
/// What an operator promises, measured on random pictures: what <c>operators check</c> prints, and what the tests hold every operator to.
/// </summary>
public static class OperatorCheck
{
    /// <summary>One property.</summary>
    /// <param name="Name">What was checked.</param>
    /// <param name="Error">The measured relative error; NaN where it does not apply.</param>
    /// <param name="Limit">The largest error that passes.</param>
    /// <param name="Note">What to know about it; empty mostly.</param>
    public readonly record struct Item(string Name, double Error, double Limit, string Note = "")
    {
        /// <summary>Whether the property holds.</summary>
        public bool Passed => double.IsNaN(Error) || Error <= Limit;
    }

    /// <summary>All properties of one operator.</summary>
    /// <param name="Items">In the order they were checked.</param>
    public sealed record Report(IReadOnlyList<Item> Items)
    {
        /// <summary>Whether every property holds.</summary>
        public bool Passed => Items.All(i => i.Passed);

        /// <summary>One line per property.</summary>
        public override string ToString() =>
            string.Join(
                Environment.NewLine,
                Items.Select(i =>
                    string.Create(
                        System.Globalization.CultureInfo.InvariantCulture,
                        $"{(i.Passed ? "ok  " : "FAIL")} {i.Name, -44} {i.Error, 9:0.0E+0} (limit "
                            + $"{i.Limit:0.0E+0}){(i.Note.Length > 0 ? "  " + i.Note : "")}"
                    )
                )
            );
    }

    /// <summary>Checks an operator.</summary>
    /// <param name="a">The operator.</param>
    /// <param name="seed">Seed of the random pictures.</param>
    /// <returns>
    /// Linearity, A(0) = 0, the adjoint, batches, the pseudo-inverse, normal equations, and the spectrum where there is one.
    /// </returns>
    public static Report Run(LinearOperator a, ulong seed = 0)
    {
        using ComputeScope scope = new();
        Random random = new(a, seed);
        SolveRequest request = new() { Log = new SolveLog() };
        List<Item> items = [];
        items.AddRange(Forward(a, random));
        items.AddRange(PseudoInverse(a, random, request));
        items.AddRange(Normal(a, random, request));
        if (a.Spectrum is { } spectrum)
            items.AddRange(Decomposition(a, spectrum, random));
        return new Report(items);
    }

    /// <summary>
    /// Binds a spec to several sizes, odd ones too, and checks it at each; sizes that it refuses are reported as refused.
    /// </summary>
    public static Report Run(OperatorSpec spec, ImageShape shape, Device? device = null, ulong seed = 0)
    {
        List<Item> items = [];
        foreach (ImageShape size in (ImageShape[])[shape, shape with { Height = shape.Height + 1 }, shape with { Width = shape.Width + 3 }])
        {
            try
            {
                using LinearOperator a = spec.Bind(size, device);
                items.AddRange(Run(a, seed).Items.Select(i => i with { Name = $"{size.Height}x{size.Width}: {i.Name}" }));
            }
            catch (OperatorSpecException refused) when (size != shape)
            {
                items.Add(new Item($"{size.Height}x{size.Width}: refused", double.NaN, 0, refused.Message));
            }
        }
        return new Report(items);
    }

    private static IEnumerable<Item> Forward(LinearOperator a, Random random)
    {
        Tensor x = random.Picture(2),
            z = random.Picture(2),
            y = a.Apply(x);
        bool shapes = y.shape.SequenceEqual(a.Output.Batch(2)) && a.Adjoint(y).shape.SequenceEqual(a.Input.Batch(2));
        yield return new Item("shapes of A x and A^T y", shapes ? 0 : 1, 0);
        if (!shapes)
            yield break;
        yield return new Item("linearity A(2x - 3z) = 2Ax - 3Az", Relative(a.Apply(2 * x - 3 * z), 2 * y - 3 * a.Apply(z)), 2e-5);
        yield return new Item("A(0) = 0", a.Apply(torch.zeros_like(x)).abs().max().item<float>(), 0);
        yield return new Item("a picture alone and in a batch", Relative(a.Apply(x.narrow(0, 1, 1)), y.narrow(0, 1, 1)), 2e-5);
        Tensor v = a.Restrict(random.Measurement(2));
        Tensor left = (y * v).reshape(2, -1).sum(1, type: ScalarType.Float64),
            right = (x * a.Adjoint(v)).reshape(2, -1).sum(1, type: ScalarType.Float64);
        double scale = Norm(y) * Norm(v) + 1e-30;
        yield return new Item("adjoint <Ax, v> = <x, A^T v>", (left - right).abs().max().item<double>() / scale, 2e-6);
        yield return new Item(
            "measured values",
            Math.Abs(a.MeasurementCount - a.Restrict(torch.ones_like(v)).narrow(0, 0, 1).sum().item<float>()),
            0.5
        );
    }

    private static IEnumerable<Item> PseudoInverse(LinearOperator a, Random random, SolveRequest request)
    {
        // In the damped form everything converges and the equation is exact: (A^T A + eta I) A^+_eta y = A^T y.
        double eta = 0.05 * a.NormSquared;
        Tensor y = a.Restrict(random.Measurement(2)),
            damped = a.PseudoInverse(y, eta, request),
            back = a.Adjoint(y);
        yield return new Item("damped pseudo-inverse", Relative(Krylov.Normal(a, damped, eta), back), Solved(request), Iterations(request));
        // Moore-Penrose, for y in the range so that no tiny singular value is asked for: A A^+ A x = A x, and A^+ A is a projection onto
        // the range of A^T.
        Tensor measured = a.Apply(random.Picture(2)),
            x = a.PseudoInverse(measured, request: request);
        double limit = a.Traits.ClosedForm || request.Log!.Last is null ? 1e-3 : 2e-2;
        yield return new Item("Moore-Penrose A A^+ A = A", Relative(a.Apply(x), measured), limit, Iterations(request));
        // Components of tiny singular values amplify rounding in A^+: they are compared after the damping.
        Tensor again = a.PseudoInverse(a.Apply(x), request: request);
        yield return new Item(
            "Moore-Penrose A^+ A A^+ = A^+",
            Relative(Krylov.Normal(a, again, 0), Krylov.Normal(a, x, 0)),
            limit,
            Iterations(request)
        );
        Tensor z = random.Picture(2),
            projected = a.PseudoInverse(a.Apply(z), request: request);
        double symmetric =
            ((projected * x).sum(type: ScalarType.Float64) - (z * x).sum(type: ScalarType.Float64)).item<double>()
            / (Norm(z) * Norm(x) + 1e-30);
        yield return new Item("A^+ A is symmetric on the range of A^T", Math.Abs(symmetric), 20 * limit);
    }

    private static IEnumerable<Item> Normal(LinearOperator a, Random random, SolveRequest request)
    {
        Tensor b = random.Picture(2);
        foreach (double relative in (double[])[0.01, 1])
        {
            double rho = relative * Math.Max(a.NormSquared, 1e-6);
            Tensor x = a.SolveNormal(b, rho, request);
            yield return new Item(
                $"(A^T A + {relative:0.##} ||A||^2 I) x = b",
                Relative(Krylov.Normal(a, x, rho), b),
                Solved(request),
                Iterations(request)
            );
        }
        Tensor v = random.Picture(1);
        double norm = Norm(a.Apply(v)) / Norm(v);
        yield return new Item(
            "||A v|| <= ||A|| ||v||",
            Math.Max(0, norm / Math.Sqrt(Math.Max(a.NormSquared, 1e-30)) - 1),
            a.NormSquared == 0 ? double.PositiveInfinity : 1e-2
        );
    }

    private static IEnumerable<Item> Decomposition(LinearOperator a, Spectrum spectrum, Random random)
    {
        Tensor x = random.Picture(2),
            s = spectrum.Singulars;
        Tensor c = spectrum.ToRange(x);
        yield return new Item("spectrum U^T A x = s V^T x", Relative(spectrum.ToMeasurement(a.Apply(x)), c * s), 5e-5);
        Tensor used = c * s.gt(Spectrum.RelativeCut * spectrum.Largest).to(c.dtype);
        yield return new Item("spectrum V^T V = I", Relative(spectrum.ToRange(spectrum.FromRange(used)), used), 5e-5);
        yield return new Item("spectrum A = U s V^T", Relative(a.Apply(spectrum.FromRange(c)), a.Apply(x)), 5e-5);
        yield return new Item(
            "spectrum is real, not negative, [R]",
            s.dim() == 1 && s.dtype == ScalarType.Float32 && (s.shape[0] == 0 || s.min().item<float>() >= 0) ? 0 : 1,
            0
        );
    }

    // Iterations end earlier than float32 does.
    private static double Solved(SolveRequest request) => request.Log!.Last is null ? 1e-4 : 1e-3;

    private static string Iterations(SolveRequest request) => request.Log!.Last is { } solve ? $"{solve.Iterations} iterations" : "";

    private static double Norm(Tensor x) => Math.Sqrt(x.square().sum(type: ScalarType.Float64).item<double>());

    // Where both sides are rounding noise there is nothing to compare.
    private static double Relative(Tensor actual, Tensor expected)
    {
        double difference = Norm(actual - expected),
            scale = Norm(expected);
        return scale < 1e-12 ? difference : difference / scale;
    }

    private sealed class Random(LinearOperator a, ulong seed)
    {
        private ulong _next = seed << 8;

        public Tensor Picture(int n) => Draw(a.Input.Batch(n));

        public Tensor Measurement(int n) => Draw(a.Output.Batch(n));

        private Tensor Draw(long[] shape)
        {
            ImageKey[] keys = [.. Enumerable.Range(0, (int)shape[0]).Select(i => new ImageKey((ulong)i))];
            return new PhiloxNoise(_next++, keys).Draw(NoiseRole.Measurement, shape).to(a.Device);
        }
    }
}
