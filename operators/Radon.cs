using Diffusion.Inverse;
using Diffusion.Runtime;

namespace Diffusion.Operators;

/// <summary>
/// Parallel-beam tomography: line integrals along rays at equally spaced angles over half a turn, divided so that the norm is about 1. The ray x cos a + y sin a = s is summed over the rows (or columns)
/// that it crosses once each, by linear interpolation between the two nearest pixels (Joseph 1982). The adjoint is the exact transpose.
/// </summary>
[Operator("radon", About = "Line integrals at some angles: parallel-beam tomography", Examples = "radon:angles=60\nradon:angles=90,detector=128")]
public sealed record Radon : OperatorSpec
{
    /// <summary>Number of angles over half a turn.</summary>
    [Setting(Min = 1, Max = 10000, About = "number of angles over half a turn")]
    public int Angles { get; init; } = 60;
    /// <summary>Number of rays per angle, one pixel apart; the picture's diagonal when absent.</summary>
    [Setting(Min = 1, Max = 65536, Unit = "pixels", About = "number of rays per angle, one pixel apart; the picture's diagonal when absent")]
    public int? Detector { get; init; }

    /// <inheritdoc/>
    protected override LinearOperator Create(ImageShape input, Device device)
    {
        int diagonal = (int)Math.Ceiling(Math.Sqrt((double)input.Height * input.Height + (double)input.Width * input.Width));
        return new ParallelBeam(input, Angles, Detector ?? diagonal, device);
    }

    private sealed class ParallelBeam : LinearOperator
    {
        private readonly int _angles, _detector;
        private readonly double _scale;
        private readonly Tensor _symbol;

        public ParallelBeam(ImageShape input, int angles, int detector, Device device)
        {
            (Input, _angles, _detector, Device) = (input, angles, detector, device);
            Output = new MeasurementShape(input.Channels, angles, detector);
            // A constant picture of side n gives line integrals of about n: ||R||^2 is about n per angle.
            _scale = 1 / Math.Sqrt((double)angles * Math.Max(input.Height, input.Width));
            // R^T R filters by angles / (pi |f|), f in cycles per pixel: the reason for filtered back-projection's ramp, and a preconditioner.
            using DisposeScope scope = torch.NewDisposeScope();
            Tensor rows = torch.arange(input.Height, dtype: ScalarType.Float64).unsqueeze(1) / (2.0 * input.Height), columns = torch.arange(input.Width, dtype: ScalarType.Float64) / (2.0 * input.Width);
            Tensor frequency = (rows.square() + columns.square()).sqrt().clamp_min(0.5 / Math.Max(input.Height, input.Width));
            _symbol = (_scale * _scale * angles / (Math.PI * frequency)).to(ScalarType.Float32).to(device).DetachFromDisposeScope();
        }

        public override ImageShape Input { get; }
        public override MeasurementShape Output { get; }
        public override Device Device { get; }
        protected override bool HasPreconditioner => true;

        public override Tensor Apply(Tensor x)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            Tensor[] projections = [.. Enumerable.Range(0, _angles).Select(angle => Project(x, angle))];
            return torch.stack(projections, 2).MoveToOuterDisposeScope();
        }

        public override Tensor Adjoint(Tensor y)
        {
            using var _ = torch.enable_grad();
            using DisposeScope scope = torch.NewDisposeScope();
            Tensor x = torch.zeros(Input.Batch(y.shape[0]), device: y.device).requires_grad_(), sum = torch.zeros_like(x).detach();
            for (int angle = 0; angle < _angles; angle++)
            {
                // One angle's graph at a time: that of all of them would hold the grids of all rays.
                using DisposeScope one = torch.NewDisposeScope();
                Tensor back = torch.autograd.grad([Project(x, angle)], [x], [y.select(2, angle).detach()])[0];
                using var quiet = torch.no_grad();
                sum.add_(back);
            }
            return sum.MoveToOuterDisposeScope();
        }

        protected override Tensor Precondition(Tensor r, double rho)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            return Dct.Inverse(Dct.Forward(r) / (_symbol + rho)).MoveToOuterDisposeScope();
        }

        /// <summary>A damped inverse: filtered back-projection, refined.</summary>
        public override Tensor Guess(Tensor y)
        {
            using Tensor back = Adjoint(y);
            return SolveNormal(back, 1e-2);
        }

        public override void Dispose()
        {
            _symbol.Dispose();
            base.Dispose();
        }

        private Tensor Project(Tensor x, int angle)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            (double sin, double cos) = Math.SinCos(Math.PI * angle / _angles);
            // Steep rays cross every row once, flat ones every column: the picture is turned for those.
            bool steep = Math.Abs(cos) >= Math.Abs(sin);
            (double along, double across) = steep ? (cos, sin) : (sin, cos);
            (long steps, long width) = steep ? (Input.Height, Input.Width) : (Input.Width, Input.Height);
            Tensor s = torch.arange(_detector, device: x.device).to(ScalarType.Float32) - (float)((_detector - 1) / 2.0);
            Tensor v = torch.arange(steps, device: x.device).to(ScalarType.Float32) - (float)((steps - 1) / 2.0);
            Tensor u = (s.unsqueeze(1) - v * across) / along + (width - 1) / 2.0;
            Tensor grid = torch.stack([(2 * u + 1) / width - 1, ((2 * v + 1 + (steps - 1)) / steps - 1).expand(_detector, -1)], -1);
            Tensor sampled = torch.nn.functional.grid_sample(steep ? x : x.transpose(2, 3), grid.unsqueeze(0).expand(x.shape[0], -1, -1, -1),
                mode: torch.GridSampleMode.Bilinear, padding_mode: torch.GridSamplePaddingMode.Zeros, align_corners: false);
            return (sampled.sum(3) * (_scale / Math.Abs(along))).MoveToOuterDisposeScope();
        }
    }
}
