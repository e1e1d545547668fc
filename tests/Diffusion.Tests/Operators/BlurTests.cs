using Diffusion.Inverse;
using Diffusion.Operators;
using Diffusion.Runtime;

namespace Diffusion.Tests.Operators;

public sealed class BlurTests
{
    public static TheoryData<Boundary, KernelOrientation, int, int> Cases =>
        [
            .. from boundary in Enum.GetValues<Boundary>()
            from orientation in Enum.GetValues<KernelOrientation>()
            from size in ((int, int)[])[(3, 5), (4, 2), (1, 3), (5, 5)]
            select (boundary, orientation, size.Item1, size.Item2),
        ];

    [Theory, MemberData(nameof(Cases))]
    public void A_blur_is_the_sum_that_its_documentation_says(Boundary boundary, KernelOrientation orientation, int rows, int columns)
    {
        using ComputeScope scope = new();
        const int Height = 7,
            Width = 6;
        Tensor x = new PhiloxNoise(1, [default]).Draw(NoiseRole.Step, 1, 1, Height, Width),
            kernel = new PhiloxNoise(2, [default]).Draw(NoiseRole.Step, 1, rows, columns)[0];
        using LinearOperator a = Blur.Of(new ImageShape(1, Height, Width), kernel, boundary, orientation);
        Tensor y = a.Apply(x);
        Assert.Equal(boundary == Boundary.Valid ? [1, 1, Height - rows + 1, Width - columns + 1] : x.shape, y.shape);
        float[,] picture = Values(x[0, 0]),
            k = Values(kernel),
            actual = Values(y[0, 0]);
        (int dy, int dx) =
            boundary == Boundary.Valid
                ? orientation == KernelOrientation.Convolve
                    ? (rows - 1 - rows / 2, columns - 1 - columns / 2)
                    : (rows / 2, columns / 2)
                : (0, 0);
        for (int i = 0; i < actual.GetLength(0); i++)
        {
            for (int j = 0; j < actual.GetLength(1); j++)
            {
                double sum = 0;
                for (int u = 0; u < rows; u++)
                {
                    for (int v = 0; v < columns; v++)
                    {
                        int s = orientation == KernelOrientation.Convolve ? -1 : 1;
                        sum += k[u, v] * Beyond(picture, i + dy + s * (u - rows / 2), j + dx + s * (v - columns / 2), boundary);
                    }
                }
                Assert.Equal(sum, actual[i, j], 5e-5);
            }
        }
    }

    [Fact]
    public void A_blur_keeps_the_mean_of_a_constant_picture_and_moves_nothing()
    {
        using ComputeScope scope = new();
        foreach (
            string spec in (string[])
                [
                    "blur",
                    "blur:kernel=motion,length=9,angle=45",
                    "blur:kernel=motion,seed=7,size=15",
                    "blur:kernel=disk,radius=3",
                    "blur:kernel=uniform,size=5",
                ]
        )
        {
            using LinearOperator a = ShippedOperators.Catalog.Parse(spec).Bind(new ImageShape(1, 41, 41));
            Assert.True((a.Apply(torch.ones(1, 1, 41, 41)) - 1).abs().max().item<float>() < 1e-5, spec);
            Tensor point = torch.zeros(1, 1, 41, 41);
            point[0, 0, 20, 20] = torch.tensor(1f);
            Tensor spread = a.Apply(point)[0, 0],
                at = torch.arange(41).to(ScalarType.Float32) - 20;
            Assert.Equal(0, (spread.sum(1) * at).sum().item<float>(), 0.25);
            Assert.Equal(0, (spread.sum(0) * at).sum().item<float>(), 0.25);
        }
    }

    [Theory]
    [InlineData(33, 20, 0.1)]
    [InlineData(64, 64, 1e-3)]
    [InlineData(47, 90, 1e-5)]
    public void Even_kernels_on_reflected_pictures_are_solved_in_a_few_iterations(int height, int width, double rho)
    {
        using ComputeScope scope = new();
        using LinearOperator a = ShippedOperators.Catalog.Parse("blur:sigma=2,boundary=reflect").Bind(new ImageShape(3, height, width));
        Tensor b = a.Adjoint(a.Apply(new PhiloxNoise(3, [default]).Draw(NoiseRole.Step, 1, 3, height, width)));
        SolveLog log = new();
        Tensor x = a.SolveNormal(b, rho, new() { Log = log });
        Assert.InRange(log.Last!.Value.Iterations, 1, 15);
        Assert.True((a.Adjoint(a.Apply(x)) + rho * x - b).norm().item<float>() < 1e-4 * b.norm().item<float>());
    }

    [Theory]
    [InlineData("zero")]
    [InlineData("valid")]
    [InlineData("symmetric")]
    [InlineData("reflect")]
    [InlineData("replicate")]
    public void Lopsided_kernels_are_solved_precisely(string boundary)
    {
        using ComputeScope scope = new();
        using LinearOperator a = ShippedOperators
            .Catalog.Parse($"blur:kernel=motion,length=15,angle=30,boundary={boundary}")
            .Bind(new ImageShape(3, 90, 110));
        Tensor b = a.Adjoint(a.Apply(new PhiloxNoise(3, [default]).Draw(NoiseRole.Step, 1, 3, 90, 110)));
        SolveLog log = new();
        Tensor x = a.SolveNormal(b, 1e-3, new() { Log = log });
        Assert.InRange(log.Last!.Value.Iterations, 1, 80);
        Assert.True((a.Adjoint(a.Apply(x)) + 1e-3 * x - b).norm().item<float>() < 1e-4 * b.norm().item<float>());
    }

    [Theory]
    [InlineData("blur:kernel=motion,length=15,angle=30", 90, 110)]
    [InlineData("blur:kernel=motion,length=15,angle=30,boundary=reflect", 90, 110)]
    [InlineData("blur:kernel=motion,length=15,angle=30,boundary=replicate", 110, 90)]
    [InlineData("blur:kernel=motion,length=15,angle=120,boundary=zero", 64, 128)]
    [InlineData("blur:kernel=motion,seed=3,boundary=replicate", 90, 110)]
    [InlineData("blur:kernel=motion,seed=4,size=12,boundary=reflect", 128, 64)]
    [InlineData("blur:kernel=gaussian,sigma=3,sigma_y=1,angle=20,boundary=replicate", 21, 16)]
    [InlineData("blur:kernel=disk,radius=4,boundary=replicate", 5, 90)]
    public void A_data_step_takes_few_iterations_whatever_lies_beyond_the_edges(string spec, int height, int width)
    {
        using ComputeScope scope = new();
        using LinearOperator a = ShippedOperators.Catalog.Parse(spec).Bind(new ImageShape(3, height, width));
        SolveLog log = new();
        Tensor x = new PhiloxNoise(5, [default]).Draw(NoiseRole.Step, 1, 3, height, width);
        a.PseudoInverse(a.Apply(x), 5e-3, new() { Precision = new(3e-3), Log = log });
        Assert.InRange(log.Last!.Value.Iterations, 1, 14);
    }

    [Fact]
    public void A_kernel_with_lobes_is_faint_at_more_frequencies()
    {
        double? Of(string spec, int height = 60, int width = 90)
        {
            using LinearOperator a = ShippedOperators.Catalog.Parse(spec).Bind(new ImageShape(3, height, width));
            return a.Traits.Faintness;
        }

        // Of a Gaussian that is narrow beside the picture and wide beside a pixel: 1 / (4 pi sigma^2).
        foreach (string boundary in (string[])["symmetric", "circular", "replicate"])
            Assert.Equal(1 / (16 * Math.PI), Of($"blur:sigma=2,boundary={boundary}")!.Value, 0.001);
        double disk = Of("blur:kernel=disk,radius=3")!.Value;
        Assert.True(disk > 0.04, $"{disk}");
        Assert.Equal(disk, Of("blur:kernel=disk,radius=3", 200, 150)!.Value, 0.002);
        Assert.True(Of("blur:kernel=motion,length=15,angle=30") > 0.04);
        Assert.Equal(disk, Of("blur:kernel=disk,radius=3|mask:random=0.5")!.Value, 1e-9);
        Assert.Null(Of("mask:random=0.5"));
        Assert.Null(Of("downsample:factor=2"));
    }

    [Theory]
    [InlineData("blur:sigma=1.5|mask:random=0.3")]
    [InlineData("blur:kernel=motion,length=9,angle=30|mask:random=0.3")]
    [InlineData("mask:random=0.3|blur:sigma=1.5")]
    public void Missing_pixels_before_or_after_a_blur_cost_few_iterations_more(string spec)
    {
        using ComputeScope scope = new();
        using LinearOperator a = ShippedOperators.Catalog.Parse(spec).Bind(new ImageShape(3, 64, 80));
        SolveRequest request = new() { Precision = new(3e-3), Log = new() };
        a.PseudoInverse(a.Apply(new PhiloxNoise(5, [default]).Draw(NoiseRole.Step, 1, 3, 64, 80)), 5e-3, request);
        Assert.InRange(request.Log.Last!.Value.Iterations, 1, 20);
    }

    [Fact]
    public void A_data_step_is_solved_only_as_precisely_as_it_was_asked_to_be()
    {
        using ComputeScope scope = new();
        using LinearOperator a = ShippedOperators.Catalog.Parse("blur:kernel=motion,length=9,angle=30").Bind(new ImageShape(3, 48, 40));
        Tensor y = a.Apply(new PhiloxNoise(4, [default]).Draw(NoiseRole.Step, 1, 3, 48, 40));
        SolveLog log = new();
        a.PseudoInverse(y, 1e-2, new() { Log = log });
        int most = log.Last!.Value.Iterations;
        a.PseudoInverse(y, 1e-2, new() { Precision = new(1e-2), Log = log });
        Assert.InRange(log.Last!.Value.Iterations, 1, most / 2);
        Assert.InRange(log.Last!.Value.Residual, 1e-4, 1e-2);
        Assert.Equal((2, 0), (log.Solutions, log.Unconverged));
    }

    [Fact]
    public void Motion_at_a_positive_angle_rises_to_the_right()
    {
        using ComputeScope scope = new();
        Tensor kernel = new Blur
        {
            Kernel = "motion",
            Length = 9,
            Angle = 30,
        }.BuildKernel();
        (long h, long w) = (kernel.shape[0], kernel.shape[1]);
        Assert.True(kernel.narrow(0, 0, h / 2).narrow(1, w / 2 + 1, w / 2).sum().item<double>() > 0.2);
        Assert.Equal(0, kernel.narrow(0, 0, h / 2).narrow(1, 0, w / 2).sum().item<double>(), 6);
    }

    [Fact]
    public void Camera_shakes_are_the_same_for_the_same_seed_only()
    {
        using ComputeScope scope = new();
        Tensor a = new Blur
            {
                Kernel = "motion",
                Seed = 1,
                Size = 21,
            }.BuildKernel(),
            b = new Blur
            {
                Kernel = "motion",
                Seed = 1,
                Size = 21,
            }.BuildKernel(),
            c = new Blur
            {
                Kernel = "motion",
                Seed = 2,
                Size = 21,
            }.BuildKernel();
        Assert.Equal(0, (a - b).abs().max().item<double>());
        Assert.True((a - c).abs().max().item<double>() > 1e-3);
        Assert.Equal(1, a.sum().item<double>(), 9);
    }

    [Fact]
    public void The_default_kernel_holds_999_parts_in_1000_of_the_mass()
    {
        using ComputeScope scope = new();
        Assert.Equal([15, 15], new Blur().BuildKernel().shape);
        Tensor wide = BlurKernels.Gaussian(101, 2);
        Assert.True(wide.narrow(0, 43, 15).narrow(1, 43, 15).sum().item<double>() > 0.999);
    }

    [Theory]
    [InlineData("blur:kernel=missing.png", "is no file")]
    [InlineData("blur:kernel=gausian", "Did you mean \"gaussian\"?")]
    [InlineData("blur:boundary=valid,size=31", "The kernel is 31x31 but the picture is 20x20")]
    public void A_kernel_that_cannot_be_used_is_named(string spec, string message) =>
        Assert.Contains(
            message,
            Assert.Throws<OperatorSpecException>(() => ShippedOperators.Catalog.Parse(spec).Bind(new ImageShape(3, 20, 20))).Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("0 1\n1 nan\n", "NaN or infinity")]
    [InlineData("0 0\n0 0\n", "zero everywhere")]
    [InlineData("1 -1\n", "sum is zero")]
    [InlineData("-1 -2 -1\n", "sum is negative")]
    [InlineData("1 -2\n", "sum is negative")]
    [InlineData("1 2\n3\n", "not of one length")]
    [InlineData("1 two\n", "\"two\" is no number")]
    public void A_hostile_kernel_file_is_refused_with_its_fault(string text, string message)
    {
        string file = Path.Combine(Path.GetTempPath(), $"kernel-{Guid.NewGuid():N}.txt");
        File.WriteAllText(file, text);
        try
        {
            Assert.Contains(
                message,
                Assert.Throws<OperatorSpecException>(() => new Blur { Kernel = file }.BuildKernel()).Message,
                StringComparison.Ordinal
            );
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static float Beyond(float[,] x, int i, int j, Boundary boundary)
    {
        (int h, int w) = (x.GetLength(0), x.GetLength(1));
        if (boundary == Boundary.Zero && (i < 0 || j < 0 || i >= h || j >= w))
            return 0;
        return x[Index(i, h, boundary), Index(j, w, boundary)];
    }

    private static int Index(int p, int n, Boundary boundary)
    {
        while (p < 0 || p >= n)
        {
            p = boundary switch
            {
                Boundary.Symmetric => p < 0 ? -1 - p : 2 * n - 1 - p,
                Boundary.Reflect => p < 0 ? -p : 2 * n - 2 - p,
                Boundary.Circular => p < 0 ? p + n : p - n,
                _ => p < 0 ? 0 : n - 1,
            };
        }
        return p;
    }

    private static float[,] Values(Tensor t)
    {
        float[] flat = [.. t.contiguous().data<float>()];
        float[,] values = new float[t.shape[0], t.shape[1]];
        Buffer.BlockCopy(flat, 0, values, 0, flat.Length * sizeof(float));
        return values;
    }
}
