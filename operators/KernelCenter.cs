namespace Diffusion.Operators;

/// <summary>Which element of a kernel lies on the pixel that is computed.</summary>
public enum KernelCenter
{
    /// <summary>Element floor(k/2) in each direction, as the file has it.</summary>
    Middle,

    /// <summary>The largest element.</summary>
    Peak,

    /// <summary>The element nearest to the centre of mass.</summary>
    Mass,
}

/// <summary>Lays kernels on their centres.</summary>
internal static class KernelCenters
{
    /// <summary>
    /// How far, in rows and columns, the centre of mass lies from the middle: the picture moves by that much. Zero where the kernel has no
    /// mass.
    /// </summary>
    public static (double Rows, double Columns) Shift(Tensor kernel)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        (double row, double column) = Mass(kernel);
        return (row - kernel.shape[0] / 2, column - kernel.shape[1] / 2);
    }

    /// <summary>The kernel framed by zeros so that its middle is the element that is wanted; no element is lost.</summary>
    /// <param name="kernel">[rows, columns] float64; borrowed.</param>
    /// <param name="center">The element that becomes the middle.</param>
    /// <returns>[rows, columns] float64; the caller owns it.</returns>
    public static Tensor Place(Tensor kernel, KernelCenter center)
    {
        if (center == KernelCenter.Middle)
            return kernel.alias();
        using DisposeScope scope = torch.NewDisposeScope();
        (long rows, long columns) = (kernel.shape[0], kernel.shape[1]);
        (long row, long column) = center == KernelCenter.Peak ? Peak(kernel) : Nearest(Mass(kernel));
        (row, column) = (Math.Clamp(row, 0, rows - 1), Math.Clamp(column, 0, columns - 1));
        long above = Math.Max(row, rows - 1 - row),
            beside = Math.Max(column, columns - 1 - column);
        Tensor framed = torch.zeros([2 * above + 1, 2 * beside + 1], dtype: kernel.dtype);
        framed.narrow(0, above - row, rows).narrow(1, beside - column, columns).copy_(kernel);
        return framed.MoveToOuterDisposeScope();
    }

    private static (long, long) Nearest((double Row, double Column) place) => ((long)Math.Round(place.Row), (long)Math.Round(place.Column));

    private static (long, long) Peak(Tensor kernel) => Math.DivRem(kernel.argmax().item<long>(), kernel.shape[1]);

    private static (double, double) Mass(Tensor kernel)
    {
        double sum = kernel.sum().item<double>();
        if (Math.Abs(sum) <= 1e-9 * kernel.abs().sum().item<double>())
            return (kernel.shape[0] / 2, kernel.shape[1] / 2);
        double Along(int axis) =>
            (kernel.sum(1 - axis) * torch.arange(kernel.shape[axis], dtype: ScalarType.Float64)).sum().item<double>() / sum;
        return (Along(0), Along(1));
    }
}
