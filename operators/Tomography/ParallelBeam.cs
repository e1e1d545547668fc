using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Diffusion.Inverse;
using Diffusion.Numerics;
using Diffusion.Runtime;

namespace Diffusion.Operators;

/// <summary>The sums along the rays of one geometry, and their exact transpose.</summary>
internal sealed class ParallelBeam : LinearOperator
{
    // Pictures and projections are stored with four of their planes beside each other: where a ray crosses a line is computed once for
    // the four.
    private const int Lanes = 4;
    private readonly BeamGeometry _geometry;
    private readonly Rays[] _rays;
    private readonly Tensor _weights;
    private readonly Tensor _symbol;

    public ParallelBeam(ImageShape input, BeamGeometry geometry, Device device)
    {
        (Input, _geometry, Device) = (input, geometry, device);
        int angles = geometry.Angles.Count;
        Output = new MeasurementShape(input.Channels, angles, geometry.Detector);
        _rays = [.. geometry.Angles.Select(angle => new Rays(angle, input, geometry))];
        double scale = geometry.Scale(input);
        using DisposeScope scope = torch.NewDisposeScope();
        _weights = torch.tensor(_rays.Select(r => (float)(scale * r.Length)).ToArray()).unsqueeze(1).DetachFromDisposeScope();
        // R^T R filters by angles / (pi |f|), f in cycles per pixel: the reason for filtered back-projection's ramp, and a
        // preconditioner.
        Tensor rows = torch.arange(input.Height, dtype: ScalarType.Float64).unsqueeze(1) / (2.0 * input.Height),
            columns = torch.arange(input.Width, dtype: ScalarType.Float64) / (2.0 * input.Width);
        Tensor frequency = (rows.square() + columns.square()).sqrt().clamp_min(0.5 / Math.Max(input.Height, input.Width));
        _symbol = (scale * scale * angles / (Math.PI * geometry.Pitch * frequency))
            .to(ScalarType.Float32)
            .to(device)
            .DetachFromDisposeScope();
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
            sums = torch.zeros(rows.shape[0], _rays.Length, _geometry.Detector, Lanes);
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
internal readonly ref struct Lines
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
