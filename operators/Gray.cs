using Diffusion.Inverse;
using Diffusion.Native;
using Diffusion.Runtime;
using Diffusion.Settings;

namespace Diffusion.Operators;

/// <summary>The weights of the colours in grey.</summary>
public enum GrayWeights
{
    /// <summary>The mean of the channels.</summary>
    Mean,

    /// <summary>0.299 R + 0.587 G + 0.114 B.</summary>
    Bt601,

    /// <summary>
    /// The sum of the C channels over sqrt(C): rows of length 1, so that noise of a standard deviation is noise of the same on each
    /// channel, which is the level that a denoiser has to see.
    /// </summary>
    Unit,
}

/// <summary>y = w . x per pixel: colourisation. A A^T = |w|^2 I, so whatever follows keeps its closed form.</summary>
[Operator("gray", About = "Grey value of a colour picture: colourisation", Examples = "gray\ngray:weights=bt601|downsample:factor=2")]
public sealed record Gray : OperatorSpec
{
    /// <summary>Weights of the channels.</summary>
    [Setting(Symbol = "w")]
    public GrayWeights Weights { get; init; } = GrayWeights.Mean;

    /// <inheritdoc/>
    protected override LinearOperator Create(ImageShape input, Device device)
    {
        if (Weights == GrayWeights.Bt601 && input.Channels != 3)
            throw Error($"BT.601 weights are for three channels, but the picture has {input.Channels}", "Use weights=mean");
        float[] weights = Weights switch
        {
            GrayWeights.Bt601 => [0.299f, 0.587f, 0.114f],
            GrayWeights.Unit => [.. Enumerable.Repeat(1 / MathF.Sqrt(input.Channels), input.Channels)],
            _ => [.. Enumerable.Repeat(1f / input.Channels, input.Channels)],
        };
        return new Weighted(input, weights, Weights == GrayWeights.Unit ? 1 : weights.Sum(w => (double)w * w), device);
    }

    /// <inheritdoc/>
    public override AreaOperators ByArea(ImageShape picture, Device device) =>
        new(1, 0, 1, area => Bind(picture with { Height = area.Height, Width = area.Width }, device));

    private sealed class Weighted : OrthogonalRowsOperator
    {
        private readonly Tensor _weights;

        public Weighted(ImageShape input, float[] weights, double lengthSquared, Device device)
            : base(lengthSquared)
        {
            (Input, Device) = (input, device);
            Output = new MeasurementShape(new ImageShape(1, input.Height, input.Width));
            Traits = base.Traits with { Local = (1, 1), ColorMissing = input.Channels > 1 };
            using DisposeScope scope = torch.NewDisposeScope();
            _weights = torch.tensor(weights, device: device).reshape(1, -1, 1, 1).DetachFromDisposeScope();
        }

        public override ImageShape Input { get; }
        public override MeasurementShape Output { get; }
        public override OperatorTraits Traits { get; }
        public override Device Device { get; }

        public override Tensor Apply(Tensor x)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            return (x * _weights).sum(1, keepdim: true).MoveToOuterDisposeScope();
        }

        public override Tensor Adjoint(Tensor y) => y * _weights;

        /// <summary>The grey value in every channel.</summary>
        public override Tensor Guess(Tensor y, SolveRequest? request = null)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            return (y / _weights.sum()).repeat(1, Input.Channels, 1, 1).MoveToOuterDisposeScope();
        }

        public override void Dispose()
        {
            _weights.Dispose();
            base.Dispose();
        }
    }
}
