using Diffusion.Inverse;
using Diffusion.Runtime;
using Diffusion.Settings;

namespace Diffusion.Operators;

/// <summary>
/// Extends the picture beyond its edges. Every output pixel copies one input pixel (or is zero), so A^T A is the diagonal of the numbers of
/// copies.
/// </summary>
[Operator(
    "pad",
    About = "Extends the picture beyond its edges",
    Examples = "pad:left=8,right=8,top=4,bottom=4\npad:left=16,boundary=symmetric"
)]
public sealed record Pad : OperatorSpec
{
    /// <summary>Columns added on the left.</summary>
    [Setting(Unit = "pixels", Min = 0, Max = 65536)]
    public int Left { get; init; }

    /// <summary>Columns added on the right.</summary>
    [Setting(Unit = "pixels", Min = 0, Max = 65536)]
    public int Right { get; init; }

    /// <summary>Rows added above.</summary>
    [Setting(Unit = "pixels", Min = 0, Max = 65536)]
    public int Top { get; init; }

    /// <summary>Rows added below.</summary>
    [Setting(Unit = "pixels", Min = 0, Max = 65536)]
    public int Bottom { get; init; }

    /// <summary>What is added.</summary>
    [Setting]
    public Boundary Boundary { get; init; } = Boundary.Zero;

    /// <inheritdoc/>
    protected override void Validate()
    {
        if (Boundary == Boundary.Valid)
            throw Error("pad has no boundary \"valid\"", "Use zero, symmetric, circular, reflect or replicate");
    }

    /// <inheritdoc/>
    protected override LinearOperator Create(ImageShape input, Device device)
    {
        ImageShape output = new(input.Channels, input.Height + Top + Bottom, input.Width + Left + Right);
        return new Extension(input, output, new EdgeExtension(Boundary, input, Top, Bottom, Left, Right, device), device);
    }

    private sealed class Extension : SpectralOperator
    {
        private readonly EdgeExtension _edges;
        private readonly Tensor _roots,
            _singulars;

        public Extension(ImageShape input, ImageShape output, EdgeExtension extension, Device device)
        {
            (Input, Output, Device, _edges) = (input, new MeasurementShape(output), device, extension);
            using DisposeScope scope = torch.NewDisposeScope();
            _roots = extension.Copies().sqrt().DetachFromDisposeScope();
            _singulars = _roots.expand(input.Channels, -1, -1).flatten().DetachFromDisposeScope();
            Decomposition = Spectrum.Of(_singulars, x => x.flatten(1), c => c.reshape(input.Batch(c.shape[0])), ToMeasurement);
        }

        public override ImageShape Input { get; }
        public override MeasurementShape Output { get; }
        public override Device Device { get; }
        public override OperatorTraits Traits { get; } = new() { ClosedForm = true };
        protected override Spectrum Decomposition { get; }

        public override Tensor Apply(Tensor x) => _edges.Extend(x);

        public override Tensor Adjoint(Tensor y) => _edges.Fold(y);

        public override Tensor Guess(Tensor y, SolveRequest? request = null) => PseudoInverse(y);

        public override void Dispose()
        {
            _edges.Dispose();
            _roots.Dispose();
            _singulars.Dispose();
            base.Dispose();
        }

        private Tensor ToMeasurement(Tensor y)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            return (_edges.Fold(y) / _roots).flatten(1).MoveToOuterDisposeScope();
        }
    }
}
