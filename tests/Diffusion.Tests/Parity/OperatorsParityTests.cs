using System.Globalization;
using Diffusion.Inverse;
using Diffusion.Operators;

namespace Diffusion.Tests.Parity;

/// <summary>
/// Every case is met by the published arithmetic (PublishedOperators) and by a shipped operator: by the same one where there is one, the
/// published quirks being only a layout then, else by <c>matrix</c> with the published operator's matrix.
/// </summary>
public sealed class OperatorsParityTests
{
    public static TheoryData<string> Cases => ParityCase.All("operators");

    [Theory, MemberData(nameof(Cases))]
    public void Is_met(string folder)
    {
        using ParityCase reference = ParityCase.Open(folder);
        ConfigNode config = reference.Config,
            op = config.Object("operator");
        config.Text("note", "dtype");
        if (op.String("kind") == "kernel_tables")
            KernelTables(reference, config);
        else
        {
            ReadSizes(reference, config);
            Operator(reference, config, op);
        }
        reference.AssertAllOutputsTested();
        config.AssertAllKeysUsed();
    }

    private static void Operator(ParityCase reference, ConfigNode config, ConfigNode op)
    {
        PublishedOperator published = PublishedOperator.FromCase(reference);
        switch (published)
        {
            case PublishedSeparableConvolution:
                if (config.Has("forms"))
                    config.Object("forms").Text("published", "matched");
                Compare(reference, published, "published.");
                Compare(reference, PublishedOperator.FromCase(reference, matched: true), "matched.");
                SeparableFactors(reference, op);
                break;
            case PublishedCircularConvolution circular when config.Has("alpha"):
                Proximal(reference, config, circular);
                break;
            case PublishedCircularConvolution circular when !reference.HasInput("y"):
                Filters(reference, config, circular);
                break;
            default:
                Compare(reference, published, "");
                break;
        }
        if (published is PublishedDenseMask)
            Fills(reference, config);
        if (published is PublishedCorrelation correlation && reference.Outputs.Contains("kernel"))
            reference.AssertOutput("kernel", correlation.Kernel);
        if (published is PublishedHadamard)
            Assert.Equal(reference.Input("x").shape[2], reference.Input("x").shape[3]);
        // These have compared the shipped one already.
        if (published is PublishedCircularConvolution && (config.Has("alpha") || !reference.HasInput("y")))
            return;
        if (ShippedOperator.Of(published) is { } shipped)
            using (shipped)
                Compare(reference, shipped, "", published is PublishedMask ? published : null);
        else
            AsMatrix(reference, published);
    }

    private static void AsMatrix(ParityCase reference, PublishedOperator published)
    {
        bool separable = published is PublishedSeparableConvolution;
        PublishedOperator source = separable ? PublishedOperator.FromCase(reference, matched: true) : published;
        long n = source.Input.Count;
        // Larger ones are solved by iterations, not to these tolerances.
        if (Math.Min(n, source.Output.Count) > 2048)
            return;
        using Tensor rows = source.Apply(torch.eye(n).reshape(source.Input.Batch(n))).reshape(n, -1).t().contiguous();
        string file = Path.Combine(Path.GetTempPath(), $"published-{Guid.NewGuid():N}.npy");
        try
        {
            NpyFile.Write(file, rows);
            using LinearOperator matrix = new Matrix { File = file }.Bind(source.Input);
            Compare(reference, matrix, separable ? "matched." : "");
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>Compares everything whose name says what it is.</summary>
    /// <param name="reference">The case.</param>
    /// <param name="a">The operator.</param>
    /// <param name="prefix">Of the outputs' names.</param>
    /// <param name="kept">For a shipped mask: the published one, which knows the layout of the kept pixels.</param>
    private static void Compare(ParityCase reference, LinearOperator a, string prefix, PublishedOperator? kept = null)
    {
        Tensor x = reference.Input("x"),
            y = reference.HasInput("y") ? reference.Input("y") : x * reference.Input("mask");
        Tensor? v = reference.HasInput("v") ? reference.Input("v").reshape(a.Output.Batch(y.shape[0])) : null;
        y = kept is null ? y.reshape(a.Output.Batch(y.shape[0])) : kept.Adjoint(y);
        Tensor b =
            reference.HasInput("b") ? reference.Input("b")
            : y.numel() == x.numel() ? y.reshape(x.shape)
            : x;
        Tensor Residual() => a.Apply(reference.Input("z")) - y;
        foreach (string output in reference.Outputs.Where(o => o.StartsWith(prefix, StringComparison.Ordinal)))
        {
            string name = output[prefix.Length..];
            Tensor? actual = name switch
            {
                "Ax" => kept is null ? a.Apply(x) : kept.Apply(a.Apply(x)),
                "Aty" => a.Adjoint(y),
                "Atv" => a.Adjoint(v!),
                "Apinvy" => a.PseudoInverse(y),
                "Apinvv" => a.PseudoInverse(v!),
                "norm" => Residual().norm().reshape(1),
                "norm_grad" => a.Adjoint(Residual()) / Residual().norm(),
                "rdmd_step" => a.Adjoint(Residual()),
                "nearest_up" => v!.repeat_interleave(a.Traits.Reduction, 2).repeat_interleave(a.Traits.Reduction, 3),
                "spectrum" => a is PublishedCircularConvolution circular ? circular.Transfer.abs() : null,
                _ when Number(name, "Apinv_eta") is { } eta => a.PseudoInverse(y, eta),
                _ when Number(name, "reg") is { } rho => a.SolveNormal(b, rho),
                _ when Number(name, "invAAt_eta") is { } eta => a is PublishedCircularConvolution circular
                    ? circular.SolveRows(y, eta)
                    : null,
                _ => null,
            };
            if (actual is not null)
                reference.AssertOutput(output, actual.reshape(reference.Expected(output).shape));
        }
        if (reference.Outputs.Contains("singulars") && Singulars(a, reference.Expected("singulars").shape[0]) is { } singulars)
            reference.AssertOutput("singulars", singulars.sort(descending: true).Values);
    }

    // All channels' values, or those of one channel where the case records one.
    private static Tensor? Singulars(LinearOperator a, long count)
    {
        if (a is PublishedResizer resizer)
            return resizer.SingularValues.flatten();
        if (a.Spectrum?.Singulars is not { } all)
            return null;
        return all.shape[0] == count ? all : all.sort(descending: true).Values.reshape(count, -1).select(1, 0);
    }

    private static void Proximal(ParityCase reference, ConfigNode config, PublishedCircularConvolution a)
    {
        double alpha = config.Double("alpha"),
            psi = config.Double("psi");
        Tensor y = reference.Input("y"),
            z = reference.Input("z");
        reference.AssertOutput("otf_abs", a.Transfer.abs());
        reference.AssertOutput("otf_real", a.Transfer.real);
        reference.AssertOutput("otf_imag", a.Transfer.imag);
        using LinearOperator shipped = ShippedOperator.Circular(a.Input, a.Kernel, a.Traits.Reduction);
        // scipy's wrapped convolution is the same operator, for odd and even kernels alike.
        _ = config.Bool("classical_equals_otf", false);
        foreach (LinearOperator each in (LinearOperator[])[a, shipped])
        {
            reference.AssertOutput("Az", each.Apply(z));
            reference.AssertOutput("Aty", each.Adjoint(y));
            if (reference.Outputs.Contains("Az_classical"))
                reference.AssertOutput("Az_classical", each.Apply(z));
            reference.AssertOutput("x_est", Step(each, z));
            reference.AssertOutput("x_est_blend", Step(each, psi * z + (1 - psi) * reference.Input("z_restored")));
        }

        // z + A^T (A A^T + alpha)^-1 (y - A z): the form that keeps its precision at small alpha.
        Tensor Step(LinearOperator each, Tensor from) => from + each.PseudoInverse(y - each.Apply(from), alpha);
    }

    private static void Filters(ParityCase reference, ConfigNode config, PublishedCircularConvolution a)
    {
        double eta = config.Double("eta");
        Tensor x = reference.Input("x"),
            b = a.Transfer;
        // On a torus A A^T = A^T A.
        using LinearOperator shipped = Blur.Of(a.Input, reference.Input("kernel"), Boundary.Circular);
        reference.AssertOutput("conv", shipped.Apply(x));
        reference.AssertOutput("tikhonov", shipped.PseudoInverse(x, eta));
        reference.AssertOutput("invAAt", shipped.SolveNormal(x, eta));
        reference.AssertOutput("conv", a.Apply(x));
        reference.AssertOutput("tikhonov", torch.fft.ifft2(torch.fft.fft2(x) * b.conj() / (b.abs().square() + eta)).real);
        reference.AssertOutput("invAAt", a.SolveRows(x, eta));
    }

    private static void Fills(ParityCase reference, ConfigNode config)
    {
        Tensor x = reference.Input("x"),
            mask = reference.Input("mask");
        if (config.Has("missing"))
            _ = config.Double("missing");
        ConfigNode shepard = config.Object("shepard");
        shepard.Text("asymmetry");
        reference.AssertOutput("shepard", PublishedFill.Shepard((x + 1) / 2 * mask, mask, shepard.Int("window"), shepard.Int("power")));
        if (config.IsNull("median"))
            return;
        ConfigNode median = config.Object("median");
        median.Text("growth");
        median.Only("first_half_width", 2);
        median.Only("lower_median", true);
        reference.AssertOutput("median", Fill.Median(x, mask));
    }

    // The factors that a case hands over are those of the zero-padded convolution that its configuration describes.
    private static void SeparableFactors(ParityCase reference, ConfigNode op)
    {
        double cut = op.Double("svd_zero", 0);
        Rebuild(reference.HasInput("kernel") ? "kernel" : "kernel1", "svd.left.");
        if (reference.HasInput("svd.right.U"))
            Rebuild("kernel2", "svd.right.");

        void Rebuild(string kernel, string factor)
        {
            double[] taps = [.. reference.Input(kernel).to(ScalarType.Float64).data<double>()];
            int n = (int)reference.Input(factor + "s").shape[0],
                used = taps.Length - (op.Bool("last_tap_dropped") && taps.Length % 2 == 1 ? 1 : 0);
            double[,] matrix = new double[n, n];
            for (int i = 0; i < n; i++)
            {
                for (int t = 0; t < used; t++)
                    if (i - taps.Length / 2 + t is var j && j >= 0 && j < n)
                        matrix[i, j] += taps[t];
            }
            Factor1D own = Factor1D.Of(torch.tensor(matrix), cut);
            TensorAssert.Close(factor + "s", reference.Input(factor + "s"), own.S, 1e-5, 1e-5);
            Tensor U = reference.Input(factor + "U"),
                s = reference.Input(factor + "s"),
                V = reference.Input(factor + "V");
            TensorAssert.Close(factor, own.U.mul(own.S).matmul(own.V.t()), U.mul(s).matmul(V.t()), 1e-5, 1e-5);
        }
    }

    private static void KernelTables(ParityCase reference, ConfigNode config)
    {
        foreach (ConfigNode kernel in config.Objects("kernels"))
        {
            kernel.Text("type");
            Tensor actual = kernel.String("kind") switch
            {
                "gaussian" => BlurKernels.Gaussian(kernel.Int("size"), kernel.Double("sigma")),
                "average" => BlurKernels.Average(kernel.Int("size")),
                "motion" => BlurKernels.Motion(kernel.Double("length"), kernel.Double("angle")),
                "cubic_filter" => PublishedKernels.CubicFilter(kernel.Int("factor")),
                "bicubic_1d" => PublishedKernels.Bicubic1D(kernel.Int("factor")),
                "task_1d" => PublishedKernels.Task1D(kernel.String("task")),
                "bicubic_equivalent" => BicubicEquivalent(kernel.Int("factor")),
                string other => throw new InvalidOperationException($"Unknown kernel kind \"{other}\"."),
            };
            string name = kernel.String("name");
            reference.AssertOutput(name, actual.to(reference.Expected(name).dtype));
        }
    }

    /// <summary>The published estimates of 25x25 kernels that, decimated, equal bicubic reduction by 2, 3, 4.</summary>
    private static Tensor BicubicEquivalent(int factor)
    {
        byte[] bytes = File.ReadAllBytes(
            Path.Combine(TestPaths.Repository, "tests", "Diffusion.Tests", "Parity", "PublishedOperators", "kernels_bicubicx234.f32")
        );
        float[] values = new float[25 * 25];
        Buffer.BlockCopy(bytes, (factor - 2) * sizeof(float) * values.Length, values, 0, sizeof(float) * values.Length);
        return torch.tensor(values).reshape(25, 25);
    }

    private static void ReadSizes(ParityCase reference, ConfigNode config)
    {
        config.Only("channels", reference.HasInput("x") ? reference.Input("x").shape[1] : 3);
        foreach (string key in (string[])["etas", "rhos"])
            if (config.Has(key))
                _ = config.Doubles(key);
        foreach (string key in (string[])["default_eta", "eta"])
            if (config.Has(key))
                _ = config.Double(key);
        int[] size =
            config.Has("image_size") ? [config.Int("image_size"), config.Int("image_size")]
            : config.Has("size") ? config.Ints("size")
            : config.Ints("low_res");
        Tensor picture = reference.Input(config.Has("low_res") ? "y" : "x");
        Assert.Equal([size[0], size[1]], picture.shape[2..]);
    }

    private static double? Number(string name, string prefix) =>
        name.StartsWith(prefix, StringComparison.Ordinal)
        && double.TryParse(name.AsSpan(prefix.Length), NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
            ? value
            : null;
}
