using Diffusion.Inverse;

namespace Diffusion.Operators;

/// <summary>A = I: denoising.</summary>
[Operator("identity", About = "Measures the picture itself: denoising", Examples = "identity")]
public sealed record Identity : OperatorSpec
{
    /// <inheritdoc/>
    protected override LinearOperator Create(ImageShape input, Device device) => new Same(input, device);

    /// <inheritdoc/>
    public override AreaOperators ByArea(ImageShape picture, Device device) =>
        new(1, 0, 1, area => Bind(picture with { Height = area.Height, Width = area.Width }, device));

    private sealed class Same : SpectralOperator
    {
        private readonly Tensor _ones;

        public Same(ImageShape input, Device device)
        {
            (Input, Output, Device) = (input, new MeasurementShape(input), device);
            _ones = torch.ones(input.Count, device: device).DetachFromDisposeScope();
            Decomposition = Spectrum.Of(_ones, x => x.flatten(1), c => c.reshape(input.Batch(c.shape[0])), y => y.flatten(1));
        }

        public override ImageShape Input { get; }
        public override MeasurementShape Output { get; }
        public override Device Device { get; }
        public override OperatorTraits Traits { get; } =
            new()
            {
                OrthonormalRows = true,
                Local = (1, 1),
                ClosedForm = true,
            };
        public override double NormSquared => 1;
        protected override Spectrum Decomposition { get; }

        public override Tensor Apply(Tensor x) => x.clone();

        public override Tensor Adjoint(Tensor y) => y.clone();

        public override Tensor PseudoInverse(Tensor y, double eta = 0, SolveRequest? request = null) => y / (1 + eta);

        public override Tensor SolveNormal(Tensor b, double rho, SolveRequest? request = null) => b / (1 + rho);

        public override Tensor Guess(Tensor y, SolveRequest? request = null) => y.clone();

        public override LinearOperator After(LinearOperator first)
        {
            Dispose();
            return first;
        }

        public override void Dispose()
        {
            _ones.Dispose();
            base.Dispose();
        }
    }
}
