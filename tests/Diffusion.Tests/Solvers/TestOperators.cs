using Diffusion.Inverse;

namespace Diffusion.Tests.Solvers;

/// <summary>
/// An operator that has nothing but a function and, being small, a dense singular value decomposition: everything else is the library's
/// default.
/// </summary>
internal sealed class FunctionOperator(
    ImageShape input,
    MeasurementShape output,
    Func<Tensor, Tensor> apply,
    OperatorTraits? traits = null,
    Func<Tensor, Tensor>? guess = null
) : LinearOperator
{
    public override ImageShape Input => input;
    public override MeasurementShape Output => output;
    public override OperatorTraits Traits { get; } = traits ?? new();
    public override Spectrum Spectrum => field ??= new DenseSpectrum(this);

    public override Tensor Apply(Tensor x) => apply(x);

    public override Tensor Guess(Tensor y, SolveRequest? request = null) => guess is null ? base.Guess(y, request) : guess(y);
}

/// <summary>Small operators of every kind that solvers look at.</summary>
internal static class TestOperators
{
    public static IReadOnlyList<string> Names { get; } = ["blur", "mask", "mean", "matrix"];

    public static LinearOperator Create(string name, ImageShape shape)
    {
        (int c, int h, int w) = (shape.Channels, shape.Height, shape.Width);
        switch (name)
        {
            case "blur":
                return new FunctionOperator(
                    shape,
                    new(shape),
                    x => (2 * x + x.roll(1, 2) + x.roll(-1, 2) + x.roll(1, 3) + x.roll(-1, 3)) / 6,
                    new() { Blur = true }
                );
            case "mask":
                Tensor mask = (torch.arange(h * w) * 7 % 5).lt(2).to(ScalarType.Float32).reshape(1, 1, h, w).DetachFromDisposeScope();
                return new FunctionOperator(shape, new(shape), x => x * mask, new() { Mask = true, OrthonormalRows = true });
            case "mean":
                return new FunctionOperator(
                    shape,
                    new(new ImageShape(c, h / 2, w / 2)),
                    x => torch.nn.functional.avg_pool2d(x, 2),
                    new() { Reduction = 2 }
                );
            case "matrix":
                int m = (int)shape.Count / 2;
                Tensor matrix = ((torch.arange(m * (int)shape.Count).to(ScalarType.Float32) * 12.9898f).sin() * 43758.5453f)
                    .frac()
                    .reshape(m, (int)shape.Count)
                    .div(Math.Sqrt(m))
                    .DetachFromDisposeScope();
                return new FunctionOperator(shape, new MeasurementShape(m), x => x.reshape(-1, shape.Count).matmul(matrix.t()));
            default:
                throw new ArgumentException(name);
        }
    }
}
