using System.Globalization;
using Diffusion.Arrays;
using Diffusion.Inverse;
using Diffusion.Runtime;

namespace Diffusion.Operators;

/// <summary>
/// A user's own frequencies: [coils, height * width] complex, orthonormal, in the order of numpy.fft.fft2 of a picture whose origin is its
/// corner, whatever order the file has.
/// </summary>
internal sealed class KSpace
{
    // Of the two ends of a half plane the far one is weak: in a full plane the last columns are partners of the first ones.
    private const double WeakEnd = 0.1;

    // Of frequencies that are no conjugates of their partners: 0 of real pictures but for noise, 1 of random phases.
    private const double RealPicture = 0.1;

    private readonly List<string> _notes = [];

    private KSpace(Tensor f, Tensor measured, int height, int width) => (F, Measured, Height, Width) = (f, measured, height, width);

    /// <summary>[coils, height * width] complex128.</summary>
    public Tensor F { get; private set; }

    /// <summary>[height * width] bool.</summary>
    public Tensor Measured { get; }

    public int Height { get; }

    public int Width { get; }

    public int Coils => (int)F.shape[0];

    public IReadOnlyList<string> Notes => _notes;

    /// <summary>Reads an array. Call within a dispose scope, which owns everything.</summary>
    /// <param name="spec">Mask and conventions.</param>
    /// <param name="array">The array; borrowed.</param>
    /// <param name="where">The file.</param>
    /// <exception cref="OperatorSpecException">It holds no frequencies, or the mask contradicts it.</exception>
    public static KSpace Read(Fourier spec, NumericArray array, string where)
    {
        Tensor values = Coils2d(Complex(array, where), spec, where).to(ScalarType.ComplexFloat64);
        (int height, int columns) = ((int)values.shape[1], (int)values.shape[2]);
        Tensor strength = values.abs().sum([0L]);
        if (!strength.isfinite().all().item<bool>())
            throw new OperatorSpecException("The frequencies hold NaN or infinity", where, "Write zeros there, and a mask");
        if (!strength.gt(0).any().item<bool>())
            throw new OperatorSpecException("All frequencies are zero", where, "Give the measured ones");
        List<string> notes = [];
        Tensor measured = MaskOf(spec, strength, where, notes);
        long at = strength.argmax().item<long>();
        (long row, long column) = (at / columns, at % columns);
        bool half = spec.Plane == FourierPlane.Half || (spec.Plane == FourierPlane.Auto && IsHalf(strength, column));
        Centering centering = spec.Centered == Centering.Auto ? Found(row, column, height, columns, half, where) : spec.Centered;
        int width = half ? spec.Width ?? 2 * (columns - 1) : columns;
        if (half && (width < 1 || width / 2 + 1 != columns))
            throw new OperatorSpecException(
                $"Half a plane of width {width} has {width / 2 + 1} columns, not {columns}",
                where,
                $"Write width={2 * (columns - 1)} or width={2 * columns - 1}"
            );
        if (half && spec.Plane == FourierPlane.Auto)
            notes.Add(
                $"The {columns} columns are taken as half a plane of a picture of {width} columns, as numpy.fft.rfft2 has it "
                    + "(plane=full takes them as all)"
            );
        Tensor f = values * measured;
        if (centering != Centering.False)
        {
            long[] dims = half ? [-2L] : [-2L, -1L];
            (f, measured) = (torch.fft.ifftshift(f, dims), torch.fft.ifftshift(measured, dims));
        }
        if (half)
        {
            f = torch.nn.functional.pad(torch.view_as_real(f), [0, 0, 0, width - columns]) is var padded
                ? torch.view_as_complex(padded)
                : f;
            measured = torch.nn.functional.pad(measured.to(ScalarType.Float32), [0, width - columns]).gt(0.5);
        }
        KSpace read = new(f.reshape(f.shape[0], -1), measured.reshape(-1), height, width);
        read._notes.AddRange(notes);
        if (spec.Centered == Centering.Auto && centering == Centering.True)
            centering = read.Origin();
        if (centering == Centering.True)
            read.F *= read.Shift();
        if (spec.Centered == Centering.Auto)
            read._notes.Add(
                centering switch
                {
                    Centering.False => "Frequency zero is taken to come first, as in numpy.fft.fft2(x) (centered=false)",
                    Centering.True =>
                        "Frequency zero and the picture's origin are taken to lie in the middle, as in fftshift(fft2(ifftshift(x))) "
                            + "(centered=true; centered=kspace moves the picture by half its size)",
                    _ => "Frequency zero is taken to lie in the middle and the picture's origin in its corner, as in fftshift(fft2(x)) "
                        + "(centered=kspace; centered=true moves the picture by half its size)",
                }
            );
        return read;
    }

    /// <summary>Whether frequencies near zero are conjugates of their partners: the picture is real, without a phase of its own.</summary>
    public bool IsReal()
    {
        Tensor f = F.reshape(-1, Height, Width),
            both = Measured.reshape(Height, Width);
        Tensor partner = f.flip(1, 2).roll([1, 1], [1, 2]).conj();
        both = both.logical_and(both.flip(0, 1).roll([1, 1], [0, 1])).logical_and(Within(0.125));
        double apart = ((f - partner).abs().square() * both).sum().item<double>(),
            together = ((f.abs().square() + partner.abs().square()) * both).sum().item<double>();
        return apart <= RealPicture * together;
    }

    /// <summary>The smooth phase that is left of the picture behind maps; null where it is real but for noise.</summary>
    /// <param name="maps">[coils,H,W] complex; borrowed.</param>
    /// <returns>[H,W] complex64, of modulus 1.</returns>
    public Tensor? PhaseBehind(Tensor maps)
    {
        Tensor coarse = (maps.conj() * Coarse()).sum([0L]),
            power = coarse.abs().square();
        if (coarse.imag.square().sum().item<double>() <= RealPicture / 2 * power.sum().item<double>())
            return null;
        Tensor strength = power.sqrt();
        return (coarse / (strength + 1e-6 * strength.max())).to(ScalarType.ComplexFloat32);
    }

    /// <summary>
    /// The coils' sensitivities with the picture's phase, of the measured middle of the plane: each coil's coarse picture over their root
    /// sum of squares.
    /// </summary>
    /// <returns>[coils,H,W] complex64.</returns>
    public Tensor EstimatedMaps()
    {
        Tensor coarse = Coarse(),
            strength = coarse.abs().square().sum([0L], keepdim: true).sqrt();
        return (coarse / (strength + 1e-6 * strength.max()).clamp_min(1e-30)).to(ScalarType.ComplexFloat32);
    }

    /// <summary>The picture of the measured frequencies, zeros elsewhere; [H,W] real.</summary>
    /// <param name="maps">[coils,H,W] or null for a real picture.</param>
    public Tensor ZeroFilled(Tensor? maps)
    {
        Tensor f = F.reshape(-1, Height, Width);
        if (maps is null)
        {
            // What was measured on one side only stands for both.
            Tensor both = Measured.reshape(Height, Width).to(ScalarType.Float64);
            both = both + both.flip(0, 1).roll([1, 1], [0, 1]);
            f = (f + f.flip(1, 2).roll([1, 1], [1, 2]).conj()) / both.clamp_min(1);
            return torch.fft.ifft2(f, norm: FFTNormType.Ortho)[0].real;
        }
        Tensor pictures = torch.fft.ifft2(f, norm: FFTNormType.Ortho);
        return (maps.conj() * pictures).sum([0L]).real / maps.abs().square().sum([0L]).clamp_min(1e-6);
    }

    /// <summary>Multiplies all frequencies.</summary>
    public void Scale(double factor) => F *= factor;

    private static Tensor Complex(NumericArray array, string where)
    {
        Tensor values = array.Values;
        if (values.is_complex())
            return values;
        if (values.dim() > 2 && values.shape[^1] == 2)
            return torch.view_as_complex(values.to(ScalarType.Float64).contiguous());
        throw new OperatorSpecException(
            $"Frequencies are complex, but the values [{string.Join(", ", values.shape)}] are real",
            where,
            "Save the array as complex64, or its real and imaginary parts along a last axis of length 2; both parts are needed"
        );
    }

    // [coils, rows, columns] of one slice.
    private static Tensor Coils2d(Tensor values, Fourier spec, string where)
    {
        string shape = $"[{string.Join(", ", values.shape)}]";
        while (values.dim() > 2 && values.shape[0] == 1)
            values = values[0];
        bool slices = values.dim() == 4 || (values.dim() == 3 && spec.Page is not null);
        if (slices && spec.Page is null)
            throw new OperatorSpecException(
                $"The frequencies are {shape}: {values.shape[0]} slices",
                where,
                $"Choose one with page=1 to page={values.shape[0]}"
            );
        if (slices)
        {
            if (spec.Page > values.shape[0])
                throw new OperatorSpecException($"There is no page {spec.Page}", where, $"The file has pages 1 to {values.shape[0]}");
            values = values[spec.Page!.Value - 1];
        }
        else if (spec.Page > 1)
            throw new OperatorSpecException($"There is no page {spec.Page}", where, "The file has one: leave page out");
        if (values.dim() == 2)
            return values.unsqueeze(0);
        if (values.dim() != 3 || values.numel() == 0)
            throw new OperatorSpecException(
                $"The frequencies are {shape}",
                where,
                "Give [rows, columns], [coils, rows, columns] or [slices, coils, rows, columns]"
            );
        if (2 * values.shape[2] < Math.Min(values.shape[0], values.shape[1]))
            throw new OperatorSpecException(
                $"The frequencies are {shape}, which looks like coils along the last axis",
                where,
                "Put the coils first: numpy.moveaxis(kspace, -1, 0)"
            );
        return spec.Maps is not null
            ? values
            : throw new OperatorSpecException(
                $"The frequencies are {shape}, which may be {values.shape[0]} coils or {values.shape[0]} slices",
                where,
                $"Coils: maps=FILE with their sensitivities, or maps=auto, which takes them from the middle frequencies; slices: page=1 to "
                    + $"page={values.shape[0]}"
            );
    }

    private static Tensor MaskOf(Fourier spec, Tensor strength, string where, List<string> notes)
    {
        Tensor nonzero = strength.gt(0);
        double seen = nonzero.to(ScalarType.Float64).mean().item<double>();
        if (spec.Mask is not { } path)
        {
            notes.Add(
                seen < 1
                    ? string.Create(
                        CultureInfo.InvariantCulture,
                        $"{100 * seen:0.#} % of the frequencies are not zero and taken as measured"
                    )
                    : "All frequencies are taken as measured; mask=FILE says which are"
            );
            return nonzero;
        }
        (int height, int width) = ((int)strength.shape[0], (int)strength.shape[1]);
        Tensor mask = FrequencyFile.Mask(path, height, width, spec.Invert);
        double Zeros(Tensor mask) => 1 - nonzero.logical_and(mask).sum().item<long>() / (double)Math.Max(1, mask.sum().item<long>());
        // In a square plane a line may be meant for the rows.
        if (Zeros(mask) > 0.2 && height == width)
        {
            Tensor rows = FrequencyFile.Mask(path, height, width, spec.Invert, rows: true);
            if (Zeros(rows) < 0.02)
            {
                notes.Add("The mask's line says which rows are measured, since the other columns hold zeros in between");
                mask = rows;
            }
        }
        if (mask.sum().item<long>() == 0)
            throw new OperatorSpecException("The mask calls nothing measured", path, "Check it; invert=true swaps measured and missing");
        if (Zeros(mask) is > 0.2 and var zeros)
            throw new OperatorSpecException(
                string.Create(CultureInfo.InvariantCulture, $"{100 * zeros:0} % of what the mask calls measured is zero"),
                where,
                "Transpose the mask, or pass invert=true, which swaps measured and missing"
            );
        double kept = (strength.square() * mask).sum().item<double>() / strength.square().sum().item<double>();
        return kept > 0.1
            ? mask
            : throw new OperatorSpecException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The mask leaves out the strong frequencies: what it keeps is {100 * kept:0.##} %"
                ),
                path,
                "Pass invert=true, which swaps measured and missing, or shift the mask as the frequencies are (numpy.fft.fftshift)"
            );
    }

    private static bool IsHalf(Tensor strength, long strongest)
    {
        long columns = strength.shape[1];
        if (strongest != 0 || columns < 8)
            return false;
        long band = Math.Max(2, columns / 16);
        double Mean(long from) =>
            strength.narrow(1, from, band) is var part && part.gt(0).sum().item<long>() is > 0 and var count
                ? part.square().sum().item<double>() / count
                : 0;
        return Mean(columns - band) < WeakEnd * Mean(1);
    }

    private static Centering Found(long row, long column, int height, int columns, bool half, string where)
    {
        bool First(long at, int size) => Math.Min(at, size - at) <= Math.Max(1, size / 16);
        bool Middle(long at, int size) => Math.Abs(at - size / 2) <= Math.Max(1, size / 16);
        if (First(row, height) && First(column, columns))
            return Centering.False;
        if (Middle(row, height) && (half || Middle(column, columns)))
            return Centering.True;
        throw new OperatorSpecException(
            $"The strongest frequency lies in row {row} and column {column} of {height}x{columns}: neither first nor in the middle",
            where,
            "Say where frequency zero is: centered=true, centered=false or centered=kspace"
        );
    }

    // Whether the picture's origin is in its middle or its corner: the wrong one halves what lies in the middle.
    private Centering Origin()
    {
        Tensor shifted = torch.fft.ifft2((F * Shift()).reshape(-1, Height, Width), norm: FFTNormType.Ortho).abs().square().sum([0L]).sqrt();
        (long top, long left) = (Math.Max(1, Height / 10), Math.Max(1, Width / 10));
        if (Height < 16 || Width < 16)
            return Centering.True;
        double Strip(Tensor t, int dim, long from, long size) => t.narrow(dim, from, size).mean().item<double>();
        double edge =
                (
                    Strip(shifted, 0, 0, top)
                    + Strip(shifted, 0, Height - top, top)
                    + Strip(shifted, 1, 0, left)
                    + Strip(shifted, 1, Width - left, left)
                ) / 4,
            cross = (Strip(shifted, 0, (Height - top) / 2, top) + Strip(shifted, 1, (Width - left) / 2, left)) / 2;
        if (edge < 0.6 * cross)
            return Centering.True;
        if (cross < 0.6 * edge)
            return Centering.Kspace;
        // A picture that fills the frame jumps where its borders meet.
        double Jump(Tensor t, int dim, long at)
        {
            long size = t.shape[dim];
            return (t.select(dim, at % size) - t.select(dim, at - 1)).abs().mean().item<double>();
        }
        double outer = Jump(shifted, 0, Height) + Jump(shifted, 1, Width),
            inner = Jump(shifted, 0, Height / 2) + Jump(shifted, 1, Width / 2);
        return inner > 1.5 * outer ? Centering.Kspace : Centering.True;
    }

    // What moves the picture's origin from its middle to its corner.
    private Tensor Shift()
    {
        Tensor Phase(int size) =>
            torch.polar(
                torch.ones(size, dtype: ScalarType.Float64),
                torch.arange(size, dtype: ScalarType.Float64) * (-2 * Math.PI * (size / 2) / size)
            );
        return torch.outer(Phase(Height), Phase(Width)).reshape(-1);
    }

    // Frequencies nearer to zero than a part of the plane's half sides.
    private Tensor Within(double part)
    {
        Tensor Near(int size) => torch.fft.fftfreq(size).abs().le(Math.Max(0.5 * part, 1.5 / size));
        return Near(Height).unsqueeze(1).logical_and(Near(Width));
    }

    // Each coil's picture of what the window lets through.
    private Tensor Coarse() => torch.fft.ifft2(F.reshape(-1, Height, Width) * Window(), norm: FFTNormType.Ortho);

    // A smooth window over what is measured around zero without gaps.
    private Tensor Window()
    {
        Tensor measured = Measured.reshape(Height, Width).to(ScalarType.Float64);
        int Reach(Tensor line, int size)
        {
            bool[] known = line.gt(0.5).data<bool>().ToArray();
            int reach = 0;
            while (reach + 1 < size / 2 && known[reach + 1] && known[size - reach - 1])
                reach++;
            return Math.Clamp(reach, Math.Min(2, size / 2), Math.Max(2, size / 8));
        }
        Tensor Hann(int reach, int size)
        {
            Tensor at = (torch.fft.fftfreq(size, dtype: ScalarType.Float64) * size / (reach + 1)).clamp(-1, 1);
            return 0.5 + 0.5 * torch.cos(Math.PI * at);
        }
        return torch.outer(Hann(Reach(measured.select(1, 0), Height), Height), Hann(Reach(measured.select(0, 0), Width), Width));
    }
}
