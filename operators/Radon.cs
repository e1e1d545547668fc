using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Diffusion.Inverse;
using Diffusion.Numerics;
using Diffusion.Runtime;
using Diffusion.Settings;

namespace Diffusion.Operators;

/// <summary>
/// Parallel-beam tomography: line integrals along rays at equally spaced angles over half a turn, divided so that the norm is about 1. The
/// ray x cos a + y sin a = s is summed over the rows (or columns)
/// that it crosses once each, by linear interpolation between the two nearest pixels (Joseph 1982). The adjoint is the exact transpose.
/// </summary>
[Operator(
    "radon",
    About = "Line integrals at some angles: parallel-beam tomography",
    Examples = "radon:angles=60\nradon:angles=90,detector=128"
)]
public sealed record Radon : OperatorSpec
{
    /// <summary>Number of angles over half a turn.</summary>
    [Setting(Min = 1, Max = 10000)]
    public int Angles { get; init; } = 60;

    /// <summary>Number of rays per angle, one pixel apart; the picture's diagonal when absent.</summary>
    [Setting(Min = 1, Max = 65536, Unit = "pixels")]
    public int? Detector { get; init; }

    /// <inheritdoc/>
    protected override LinearOperator Create(ImageShape input, Device device)
    {
        int diagonal = (int)Math.Ceiling(Math.Sqrt((double)input.Height * input.Height + (double)input.Width * input.Width));
        return new ParallelBeam(input, Angles, Detector ?? diagonal, device);
    }

    private sealed class ParallelBeam : LinearOperator
    {
        // Pictures and projections are stored with four of their planes beside each other: where a ray crosses a line is computed once for
        // the four.
        private const int Lanes = 4;
        private readonly int _detector;
        private readonly Rays[] _rays;
        private readonly Tensor _weights;
        private readonly Tensor _symbol;

        public ParallelBeam(ImageShape input, int angles, int detector, Device device)
        {
            (Input, _detector, Device) = (input, detector, device);
            Output = new MeasurementShape(input.Channels, angles, detector);
            _rays = [.. Enumerable.Range(0, angles).Select(angle => new Rays(Math.PI * angle / angles, input, detector))];
            // A constant picture of side n gives line integrals of about n: ||R||^2 is about n per angle.
            double scale = 1 / Math.Sqrt((double)angles * Math.Max(input.Height, input.Width));
            using DisposeScope scope = torch.NewDisposeScope();
            _weights = torch.tensor(_rays.Select(r => (float)(scale * r.Length)).ToArray()).unsqueeze(1).DetachFromDisposeScope();
            // R^T R filters by angles / (pi |f|), f in cycles per pixel: the reason for filtered back-projection's ramp, and a
            // preconditioner.
            Tensor rows = torch.arange(input.Height, dtype: ScalarType.Float64).unsqueeze(1) / (2.0 * input.Height),
                columns = torch.arange(input.Width, dtype: ScalarType.Float64) / (2.0 * input.Width);
            Tensor frequency = (rows.square() + columns.square()).sqrt().clamp_min(0.5 / Math.Max(input.Height, input.Width));
            _symbol = (scale * scale * angles / (Math.PI * frequency)).to(ScalarType.Float32).to(device).DetachFromDisposeScope();
        }

        public override ImageShape Input { get; }
        public override MeasurementShape Output { get; }
        public override Device Device { get; }
        protected override bool HasPreconditioner => true;

        /// <summary>The sums are taken on the CPU wherever the picture is.</summary>
        public override Tensor Apply(Tensor x)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            Tensor rows = ToLanes(x, 1),
                columns = ToLanes(x.transpose(2, 3), 1),
                sums = torch.zeros(rows.shape[0], _rays.Length, _detector, Lanes);
            Workers.Run((int)sums.shape[0] * _rays.Length, item =>
            {
                (int group, int angle) = Math.DivRem(item, _rays.Length);
                Rays rays = _rays[angle];
                Lines lines = new(rays.Steep ? rows : columns, group);
                Span<Vector128<float>> sum = new Lines(sums, group)[angle];
                for (int line = 0; line < lines.Count; line++)
                    rays.Gather(lines[line], line, sum);
            });
            return (FromLanes(sums, x.shape[0]) * _weights).to(x.device).MoveToOuterDisposeScope();
        }

        public override Tensor Adjoint(Tensor y)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            Tensor values = ToLanes(y.cpu() * _weights, 0);
            Tensor rows = Smear(values, steep: true, Input.Height, Input.Width),
                columns = Smear(values, steep: false, Input.Width, Input.Height);
            return rows.add_(columns.transpose(2, 3)).to(y.device).MoveToOuterDisposeScope();

            Tensor Smear(Tensor values, bool steep, long count, long width)
            {
                Tensor x = torch.zeros(values.shape[0], count, width + 2, Lanes);
                Workers.Run((int)(x.shape[0] * count), item =>
                {
                    (int group, int line) = Math.DivRem(item, (int)count);
                    Lines projections = new(values, group);
                    Span<Vector128<float>> target = new Lines(x, group)[line];
                    for (int angle = 0; angle < _rays.Length; angle++)
                    {
                        if (_rays[angle].Steep == steep)
                            _rays[angle].Scatter(projections[angle], line, target);
                    }
                });
                return FromLanes(x.narrow(2, 1, width), y.shape[0]);
            }
        }

        protected override Tensor Precondition(Tensor r, double rho)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            return Dct.Inverse(Dct.Forward(r) / (_symbol + rho)).MoveToOuterDisposeScope();
        }

        /// <summary>A damped inverse: filtered back-projection, refined.</summary>
        public override Tensor Guess(Tensor y, SolveRequest? request = null)
        {
            using Tensor back = Adjoint(y);
            return SolveNormal(back, 1e-2, request);
        }

        public override void Dispose()
        {
            _weights.Dispose();
            _symbol.Dispose();
            base.Dispose();
        }

        // [N,C,H,W] to [ceil(N C / 4), H, border + W + border, 4].
        private static Tensor ToLanes(Tensor t, long border)
        {
            long planes = t.shape[0] * t.shape[1],
                groups = (planes + Lanes - 1) / Lanes;
            Tensor padded = torch.nn.functional.pad(
                t.cpu().to(ScalarType.Float32).reshape(planes, t.shape[2], t.shape[3]),
                [border, border, 0, 0, 0, groups * Lanes - planes]
            );
            return padded.reshape(groups, Lanes, padded.shape[1], padded.shape[2]).permute(0, 2, 3, 1).contiguous();
        }

        private Tensor FromLanes(Tensor t, long pictures) =>
            t.permute(0, 3, 1, 2)
                .reshape(t.shape[0] * Lanes, t.shape[1], t.shape[2])
                .narrow(0, 0, pictures * Input.Channels)
                .reshape(pictures, Input.Channels, t.shape[1], t.shape[2]);
    }

    /// <summary>One group of four planes, line by line.</summary>
    private readonly ref struct Lines
    {
        private readonly Span<Vector128<float>> _values;
        private readonly int _width;

        public Lines(Tensor lanes, int group)
        {
            (Count, _width) = ((int)lanes.shape[1], (int)lanes.shape[2]);
            _values = MemoryMarshal.Cast<byte, Vector128<float>>(lanes.bytes).Slice(group * Count * _width, Count * _width);
        }

        public int Count { get; }
        public Span<Vector128<float>> this[int line] => _values.Slice(line * _width, _width);
    }

    /// <summary>
    /// The parallel rays of one angle. Ray s crosses a line (a row for steep rays, a column for flat ones) at start - line * slope + s *
    /// step, in pixels of a line with one zero before and after.
    /// </summary>
    private sealed class Rays
    {
        private readonly double _start,
            _slope,
            _step;
        private readonly int _width,
            _detector;

        public Rays(double angle, ImageShape picture, int detector)
        {
            (double sin, double cos) = Math.SinCos(angle);
            Steep = Math.Abs(cos) >= Math.Abs(sin);
            (double along, double across) = Steep ? (cos, sin) : (sin, cos);
            (int lines, int width) = Steep ? (picture.Height, picture.Width) : (picture.Width, picture.Height);
            (Length, _step, _slope, _width, _detector) = (1 / Math.Abs(along), 1 / along, across / along, width, detector);
            _start = 1 + (width - 1) / 2.0 + (lines - 1) / 2.0 * _slope - (detector - 1) / 2.0 * _step;
        }

        /// <summary>Whether the rays cross every row; otherwise they cross every column.</summary>
        public bool Steep { get; }

        /// <summary>Length of a ray between two lines, in pixels.</summary>
        public double Length { get; }

        public void Gather(ReadOnlySpan<Vector128<float>> line, int index, Span<Vector128<float>> sums)
        {
            double start = _start - index * _slope;
            (int begin, int end) = Crossing(start);
            for (int s = begin; s < end; s++)
            {
                double u = start + s * _step;
                int left = double.ConvertToIntegerNative<int>(u);
                sums[s] += line[left] + (float)(u - left) * (line[left + 1] - line[left]);
            }
        }

        public void Scatter(ReadOnlySpan<Vector128<float>> projection, int index, Span<Vector128<float>> line)
        {
            double start = _start - index * _slope;
            (int begin, int end) = Crossing(start);
            for (int s = begin; s < end; s++)
            {
                double u = start + s * _step;
                int left = double.ConvertToIntegerNative<int>(u);
                Vector128<float> right = (float)(u - left) * projection[s];
                line[left] += projection[s] - right;
                line[left + 1] += right;
            }
        }

        // The rays that meet the line between its two zeros.
        private (int Begin, int End) Crossing(double start)
        {
            bool Meets(int s) => start + s * _step is > 0 and var u && u < _width + 1;
            (double first, double last) = (-start / _step, (_width + 1 - start) / _step);
            if (first > last)
                (first, last) = (last, first);
            int begin = (int)Math.Clamp(Math.Floor(first), 0, _detector),
                end = (int)Math.Clamp(Math.Ceiling(last) + 1, begin, _detector);
            while (begin < end && !Meets(begin))
                begin++;
            while (end > begin && !Meets(end - 1))
                end--;
            return (begin, end);
        }
    }
}
