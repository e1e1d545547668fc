using Diffusion.Inverse;
using Diffusion.Runtime;
using Diffusion.Settings;

namespace Diffusion.Operators;

/// <summary>The trajectories through frequency space that are measured.</summary>
public enum FourierLines
{
    /// <summary>Whole rows of frequencies, more densely in the middle, as a magnetic-resonance scanner reads them.</summary>
    Cartesian,

    /// <summary>Spokes through the origin, turned by the golden angle.</summary>
    Radial,
}

/// <summary>
/// Undersampled orthonormal Fourier measurements. A real picture's frequencies k and -k are conjugates, so a half plane is measured: the
/// real part where k = -k, else sqrt(2) times the real and the
/// imaginary part, which makes A A^T = I with independent noise of equal strength on every component.
/// </summary>
[Operator(
    "fourier",
    About = "Some frequencies: accelerated magnetic-resonance imaging",
    Examples = "fourier:acceleration=4\nfourier:acceleration=8,lines=radial"
)]
public sealed record Fourier : OperatorSpec
{
    /// <summary>One of how many frequencies is measured.</summary>
    [Setting(Min = 1, Max = 1000)]
    public double Acceleration { get; init; } = 4;

    /// <summary>The fraction of rows in the middle that are all measured (cartesian).</summary>
    [Setting(Min = 0, Max = 1)]
    public double Center { get; init; } = 0.08;

    /// <summary>Rows of frequencies, or spokes through the origin.</summary>
    [Setting]
    public FourierLines Lines { get; init; } = FourierLines.Cartesian;

    /// <summary>Seed of the random rows, or of the first spoke's angle.</summary>
    [Setting]
    public ulong Seed { get; init; }

    /// <inheritdoc/>
    protected override LinearOperator Create(ImageShape input, Device device)
    {
        bool[] measured = Lines == FourierLines.Cartesian ? Rows(input.Height, input.Width) : Spokes(input.Height, input.Width);
        List<long> own = [],
            pairs = [],
            partners = [];
        for (int i = 0; i < input.Height; i++)
        {
            for (int j = 0; j < input.Width; j++)
            {
                long k = (long)i * input.Width + j,
                    partner = (long)((input.Height - i) % input.Height) * input.Width + (input.Width - j) % input.Width;
                if (k > partner || !(measured[k] || measured[partner]))
                    continue;
                if (k == partner)
                    own.Add(k);
                else
                {
                    pairs.Add(k);
                    partners.Add(partner);
                }
            }
        }
        return new HalfPlane(input, [.. own], [.. pairs], [.. partners], device);
    }

    private bool[] Rows(int height, int width)
    {
        // Rows i and -i are measured together. Position 0 .. height/2 counts from the middle.
        int half = height / 2,
            wanted = Math.Max(1, (int)Math.Round(height / Acceleration)),
            central = Math.Min(half + 1, (int)Math.Ceiling(Center * height / 2));
        using Tensor order = Permutation.Random(half + 1, Seed, 0);
        bool[] measured = new bool[(long)height * width];
        int rows = 0;
        foreach (int row in Enumerable.Range(0, Math.Max(central, 1)).Concat(order.data<long>().ToArray().Select(r => (int)r)))
        {
            if (measured[(long)row * width])
                continue;
            if (rows >= wanted && row >= central)
                break;
            foreach (int line in new[] { row, (height - row) % height }.Distinct())
            {
                Array.Fill(measured, true, line * width, width);
                rows++;
            }
        }
        return measured;
    }

    private bool[] Spokes(int height, int width)
    {
        bool[] measured = new bool[(long)height * width];
        using ComputeScope scope = new();
        double angle = new PhiloxNoise(Seed, [ImageKey.FromName("spokes")]).Draw(NoiseRole.Measurement, 1, 1).item<float>() * Math.PI,
            golden = Math.PI * (Math.Sqrt(5) - 1) / 2;
        long count = 0,
            wanted = Math.Max(1, (long)(measured.LongLength / Acceleration));
        double reach = Math.Sqrt((double)height * height + (double)width * width) / 2;
        for (int spoke = 0; count < wanted && spoke < 4 * (height + width); spoke++, angle += golden)
        {
            (double sin, double cos) = Math.SinCos(angle);
            for (double r = -reach; r <= reach; r += 0.5)
            {
                (int i, int j) = ((int)Math.Round(r * sin), (int)Math.Round(r * cos));
                if (2 * Math.Abs(i) > height || 2 * Math.Abs(j) > width)
                    continue;
                long k = (long)((i + height) % height) * width + (j + width) % width;
                if (!measured[k])
                    count++;
                measured[k] = true;
            }
        }
        measured[0] = true;
        return measured;
    }

    private sealed class HalfPlane : OrthogonalRowsOperator
    {
        private readonly Tensor _own,
            _pairs,
            _partners;

        public HalfPlane(ImageShape input, long[] own, long[] pairs, long[] partners, Device device)
        {
            (Input, Device) = (input, device);
            Output = new MeasurementShape(input.Channels, own.Length + 2 * pairs.Length);
            _own = torch.tensor(own, device: device).DetachFromDisposeScope();
            _pairs = torch.tensor(pairs, device: device).DetachFromDisposeScope();
            _partners = torch.tensor(partners, device: device).DetachFromDisposeScope();
        }

        public override ImageShape Input { get; }
        public override MeasurementShape Output { get; }
        public override Device Device { get; }

        public override Tensor Apply(Tensor x)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            Tensor f = torch.fft.fft2(x, norm: FFTNormType.Ortho).flatten(2),
                half = f.index_select(2, _pairs) * Math.Sqrt(2);
            return torch.cat([f.index_select(2, _own).real, half.real, half.imag], 2).MoveToOuterDisposeScope();
        }

        public override Tensor Adjoint(Tensor y)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            (long own, long pairs) = (_own.shape[0], _pairs.shape[0]);
            Tensor real = torch.zeros([y.shape[0], Input.Channels, (long)Input.Height * Input.Width], dtype: y.dtype, device: y.device),
                imaginary = torch.zeros_like(real);
            Tensor re = y.narrow(2, own, pairs) / Math.Sqrt(2),
                im = y.narrow(2, own + pairs, pairs) / Math.Sqrt(2);
            real.index_copy_(2, _own, y.narrow(2, 0, own)).index_copy_(2, _pairs, re).index_copy_(2, _partners, re);
            imaginary.index_copy_(2, _pairs, im).index_copy_(2, _partners, -im);
            Tensor f = torch.complex(real, imaginary).reshape(Input.Batch(y.shape[0]));
            return torch.fft.ifft2(f, norm: FFTNormType.Ortho).real.contiguous().MoveToOuterDisposeScope();
        }

        public override void Dispose()
        {
            _own.Dispose();
            _pairs.Dispose();
            _partners.Dispose();
            base.Dispose();
        }
    }
}
