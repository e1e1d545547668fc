using Diffusion.Arrays;
using Diffusion.Inverse;
using Diffusion.Runtime;
using Diffusion.Settings;

namespace Diffusion.Operators;

/// <summary>Which way round a kernel is laid on the picture.</summary>
public enum KernelOrientation
{
    /// <summary>y[i] = sum_u k[u] x[i - u]: the kernel is what a point becomes.</summary>
    Convolve,

    /// <summary>y[i] = sum_u k[u] x[i + u], as neural-network code does.</summary>
    Correlate,
}

/// <summary>
/// Convolution with a kernel whose centre is element floor(k/2) in each direction, y[i] = sum_u k[u] x[i - u + floor(k/2)]. For example the
/// row (1 2 1)/4 turns 0 0 4 0 0 into 0 1 2 1 0.
/// </summary>
/// <remarks>
/// <c>circular</c> with any kernel, and <c>symmetric</c> with a kernel that is even in both directions, have a closed form. <c>valid</c> is
/// right for real photographs, where the scene beyond the frame
/// blurs in: the picture is larger than the measurement by the size of the kernel less one.
/// </remarks>
[Operator(
    "blur",
    About = "Blurs with a Gaussian, uniform, motion or disk kernel, a camera shake, or a kernel from a file",
    Examples = "blur:sigma=2\nblur:kernel=motion,length=15,angle=30,boundary=reflect\n"
        + "blur:kernel=motion,seed=3,size=31\nblur:kernel=disk,radius=4,boundary=valid"
)]
public sealed record Blur : OperatorSpec
{
    /// <summary>Gaussian, uniform, motion, disk, or a file (.npy, .npz, .mat, .h5, .fits, a text of numbers, a picture).</summary>
    [Setting]
    public string Kernel { get; init; } = "gaussian";

    /// <summary>With a file of several planes: which one, counted from 1.</summary>
    [Setting(Min = 1, Max = 1_000_000)]
    public int? Page { get; init; }

    /// <summary>With a .npz, .mat or .h5 file of several arrays: the name of one.</summary>
    [Setting]
    public string? Key { get; init; }

    /// <summary>With a FITS file: which unit, counted from 0.</summary>
    [Setting(Min = 0, Max = 100_000)]
    public int? Hdu { get; init; }

    /// <summary>
    /// With a file: the element on the pixel: <see cref="KernelCenter.Middle"/>, number floor(k/2) from 0 (after the centre of even
    /// sides; when absent), the largest, or the one nearest to the centre of mass.
    /// </summary>
    [Setting]
    public KernelCenter? Center { get; init; }

    /// <summary>Standard deviation of the Gaussian; along <see cref="Angle"/> where <see cref="SigmaY"/> is given.</summary>
    [Setting(Unit = "pixels", Min = 0.01, Max = 1000)]
    public double Sigma { get; init; } = 2;

    /// <summary>Standard deviation of the Gaussian across <see cref="Angle"/>; as <see cref="Sigma"/> when absent.</summary>
    [Setting(Unit = "pixels", Min = 0.01, Max = 1000)]
    public double? SigmaY { get; init; }

    /// <summary>Direction of the motion or of the Gaussian's first axis, counter-clockwise from the horizontal.</summary>
    [Setting(Unit = "degrees")]
    public double Angle { get; init; }

    /// <summary>Length of the motion.</summary>
    [Setting(Unit = "pixels", Min = 1, Max = 1000)]
    public double Length { get; init; } = 15;

    /// <summary>Radius of the disk.</summary>
    [Setting(Unit = "pixels", Min = 0.1, Max = 500)]
    public double Radius { get; init; } = 4;

    /// <summary>Side length of the kernel; absent: enough for 99.9 % of a Gaussian, 9 for uniform, 31 for a camera shake.</summary>
    [Setting(Unit = "pixels", Min = 1, Max = 2001)]
    public int? Size { get; init; }

    /// <summary>With <c>kernel=motion</c>: seed of a camera shake, a random curved trajectory inside <see cref="Size"/>.</summary>
    [Setting]
    public ulong? Seed { get; init; }

    /// <summary>The picture beyond its edges.</summary>
    [Setting]
    public Boundary Boundary { get; init; } = Boundary.Symmetric;

    /// <summary>Convolution, or correlation (the kernel is not turned).</summary>
    [Setting]
    public KernelOrientation Orientation { get; init; } = KernelOrientation.Convolve;

    /// <summary>Whether the kernel is divided by its sum.</summary>
    [Setting]
    public bool Normalize { get; init; } = true;

    /// <summary>The kernel before any turn, [rows, columns] float64; the caller owns it.</summary>
    /// <exception cref="OperatorSpecException">The kernel's file is missing, or its values make no kernel.</exception>
    public Tensor BuildKernel()
    {
        using ComputeScope scope = new();
        Tensor kernel = Kernel switch
        {
            "gaussian" => BlurKernels.Gaussian(Side(Reach(Sigma, SigmaY)), Side(Reach(Sigma, SigmaY)), Sigma, SigmaY ?? Sigma, Angle),
            "uniform" => BlurKernels.Average(Side(9)),
            "motion" when Seed is { } seed => CameraShake.Kernel(Side(31), seed),
            "motion" => BlurKernels.Motion(Length, Angle),
            "disk" => BlurKernels.Disk(Radius),
            _ => KernelCenters.Place(ReadFile(), Center ?? KernelCenter.Middle),
        };
        if (!kernel.isfinite().all().item<bool>())
            throw Error("The kernel holds NaN or infinity");
        double sum = kernel.sum().item<double>();
        if (kernel.abs().sum().item<double>() == 0)
            throw Error("The kernel is zero everywhere");
        if (Normalize)
        {
            if (Math.Abs(sum) < 1e-12)
                throw Error("The kernel's sum is zero, so it cannot be normalised", "Pass normalize=false");
            if (sum < 0)
                throw Error(
                    "The kernel's sum is negative, so normalising it would turn its signs",
                    "Give it with the other sign, or pass normalize=false, which takes it as it is"
                );
            kernel = kernel / sum;
        }
        return scope.Return(kernel.alias());
    }

    /// <summary>The operator of a kernel that is at hand, used as it is.</summary>
    /// <param name="input">The picture.</param>
    /// <param name="kernel">[rows, columns]; its centre is element floor(k/2). Borrowed.</param>
    /// <param name="boundary">The picture beyond its edges.</param>
    /// <param name="orientation">Convolution or correlation.</param>
    /// <param name="device">Where its constants live; the CPU by default.</param>
    /// <exception cref="ArgumentException">The kernel is no [rows, columns].</exception>
    /// <exception cref="OperatorSpecException">The kernel is larger than the picture.</exception>
    public static LinearOperator Of(
        ImageShape input,
        Tensor kernel,
        Boundary boundary = Boundary.Symmetric,
        KernelOrientation orientation = KernelOrientation.Convolve,
        Device? device = null
    )
    {
        if (kernel.dim() != 2)
            throw new ArgumentException($"A kernel is [rows, columns], not [{string.Join(",", kernel.shape)}].", nameof(kernel));
        using ComputeScope scope = new();
        Tensor taps = kernel.cpu().to(ScalarType.Float64);
        bool turned = orientation == KernelOrientation.Correlate;
        if (turned)
            taps = taps.flip(0, 1);
        (int rows, int columns) = ((int)taps.shape[0], (int)taps.shape[1]);
        // A turned kernel of even size has its centre one element earlier.
        (int centreRow, int centreColumn) = turned ? ((rows - 1) / 2, (columns - 1) / 2) : (rows / 2, columns / 2);
        int support = Math.Max(rows, columns);
        device ??= new Device("cpu");
        if (boundary == Boundary.Circular)
            return new CircularConvolution(
                input,
                CircularConvolution.TransferOf(taps, input.Height, input.Width, centreRow, centreColumn),
                1,
                blur: true,
                0,
                support,
                device
            );
        if (boundary == Boundary.Symmetric && IsEven(taps))
            return new MirroredConvolution(
                input,
                CircularConvolution.TransferOf(taps, input.Height, input.Width, centreRow, centreColumn, spacing: 1).real,
                1,
                blur: true,
                support,
                device
            );
        if (boundary == Boundary.Valid && (input.Height < rows || input.Width < columns))
            throw new OperatorSpecException(
                $"The kernel is {rows}x{columns} but the picture is {input.Height}x{input.Width} (height x width)",
                null,
                "Use a smaller kernel or boundary=symmetric"
            );
        (int Row, int Column) first = (centreRow + 1 - rows, centreColumn + 1 - columns);
        MirroredConvolution near = PaddedConvolution.Near(input, taps, device);
        Preconditioner? better = boundary switch
        {
            Boundary.Valid => new OpenPreconditioner(input, taps, device),
            Boundary.Reflect when IsEven(taps) && input is { Height: > 2, Width: > 2 } => new ReflectedPreconditioner(input, taps, device),
            _ when input is { Height: > 3, Width: > 3 } => new FramedPreconditioner(input, taps.flip(0, 1), first, boundary, device),
            _ => null,
        };
        return new PaddedConvolution(input, taps.flip(0, 1), first, boundary, 1, near, blur: true, device, better);
    }

    /// <inheritdoc/>
    protected override LinearOperator Create(ImageShape input, Device device)
    {
        using Tensor kernel = BuildKernel();
        return Of(input, kernel, Boundary, Orientation, device);
    }

    /// <inheritdoc/>
    public override AreaOperators? ByArea(ImageShape picture, Device device)
    {
        // What lies beyond one edge of a circular picture is the other edge, and a valid measurement is smaller than its picture.
        if (Boundary is Boundary.Circular or Boundary.Valid)
            return null;
        Tensor kernel = BuildKernel().DetachFromDisposeScope();
        return new AreaOperators(
            1,
            (int)kernel.shape.Max(),
            1,
            area => Of(picture with { Height = area.Height, Width = area.Width }, kernel, Boundary, Orientation, device),
            kernel
        );
    }

    /// <summary>A kernel whose centre of mass lies off its middle moves the picture.</summary>
    public override IReadOnlyList<string> Notes()
    {
        if (!IsFile || Center is not null)
            return [];
        using ComputeScope scope = new();
        (double rows, double columns) = KernelCenters.Shift(ReadFile());
        if (Math.Max(Math.Abs(rows), Math.Abs(columns)) <= 0.5 + 1e-6)
            return [];
        return
        [
            string.Create(
                System.Globalization.CultureInfo.InvariantCulture,
                $"The kernel's centre of mass lies {rows:0.0} rows and {columns:0.0} columns from its middle, which moves the picture by "
                    + $"as much; write center=mass or center=peak if it should not move, center=middle if it should"
            ),
        ];
    }

    /// <inheritdoc/>
    protected override void Validate()
    {
        if (Kernel.Length == 0)
            throw Error("kernel is empty", "Write gaussian, uniform, motion, disk or a file");
        if (Seed is not null && Kernel != "motion")
            throw Error("seed belongs to kernel=motion");
        if (!IsFile && (Page is not null || Key is not null || Hdu is not null || Center is not null))
            throw Error("page, key, hdu and center belong to a kernel from a file", "Write blur:kernel=FILE");
    }

    private bool IsFile => Kernel is not ("gaussian" or "uniform" or "motion" or "disk");

    private Tensor ReadFile() =>
        KernelFile.Read(
            Kernel,
            ToString(),
            new ArraySelection
            {
                Page = Page,
                Key = Key,
                Hdu = Hdu,
            }
        );

    private int Side(int standard) => Size ?? standard;

    // The square of side 2r+1 holds erf(r / (sigma sqrt 2))^2 of the mass: 99.9 % at r = 3.48 sigma.
    private static int Reach(double sigma, double? sigmaAcross) => 2 * (int)Math.Ceiling(3.48 * Math.Max(sigma, sigmaAcross ?? 0)) + 1;

    private static bool IsEven(Tensor kernel) =>
        kernel.shape[0] % 2 == 1
        && kernel.shape[1] % 2 == 1
        && Math.Max((kernel - kernel.flip(0)).abs().max().item<double>(), (kernel - kernel.flip(1)).abs().max().item<double>())
            <= 1e-12 * kernel.abs().max().item<double>();
}
