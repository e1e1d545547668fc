using Diffusion.Arrays;
using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Runtime;
using Diffusion.Settings;

namespace Diffusion.Operators;

/// <summary>
/// Any matrix, applied to the picture's values in the order channel, row, column. For small pictures: the matrix has as many columns as the
/// picture has values.
/// </summary>
[Operator(
    "matrix",
    About = "Any matrix from a file (.npy, .npz, .mat, .h5, a text of numbers), for small pictures",
    Examples = "matrix:file=a.npy"
)]
public sealed record Matrix : OperatorSpec
{
    /// <summary>
    /// A file (.npy, .npz, .mat, .h5, a text), [measured values, picture values]; values in the order channel, row, column.
    /// </summary>
    [Setting]
    public string File { get; init; } = "";

    /// <inheritdoc/>
    protected override void Validate()
    {
        if (File.Length == 0)
            throw Error("The matrix has no file", "Write matrix:file=a.npy");
    }

    /// <inheritdoc/>
    protected override LinearOperator Create(ImageShape input, Device device)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using NumericArray array = DataFile.Read(File);
        Tensor matrix = array.Values;
        if (array.Type.IsComplex())
            throw Error("The matrix is complex", "Write its real and imaginary rows one below the other");
        if (matrix.dim() != 2 || matrix.shape[0] == 0)
            throw Error($"The matrix has the shape [{string.Join(",", matrix.shape)}]", "It must have rows and columns");
        if (matrix.shape[1] != input.Count)
            throw Error(
                $"The matrix has {matrix.shape[1]} columns, but the picture {input} (channels x height x width) has {input.Count} values",
                "One column per value is needed"
            );
        if (!matrix.isfinite().all().item<bool>())
            throw Error("The matrix holds NaN or infinity");
        return new Dense(input, matrix.to(ScalarType.Float32).to(device));
    }

    private sealed class Dense(ImageShape input, Tensor matrix) : LinearOperator
    {
        // Beyond this a decomposition takes longer than the iterations that it saves.
        private const long LargestDecomposition = 2048;

        private readonly Tensor _matrix = matrix.DetachFromDisposeScope();
        private Tensor? _u,
            _s,
            _v;
        private Spectrum? _spectrum;

        public override ImageShape Input { get; } = input;
        public override MeasurementShape Output { get; } = new(matrix.shape[0]);
        public override Device Device => _matrix.device;
        public override OperatorTraits Traits => field ??= Look();
        public override Spectrum? Spectrum => IsSmall ? _spectrum ??= Decompose() : null;

        private bool IsSmall => Math.Min(_matrix.shape[0], _matrix.shape[1]) <= LargestDecomposition;

        public override Tensor Apply(Tensor x)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            return x.flatten(1).matmul(_matrix.t()).MoveToOuterDisposeScope();
        }

        public override Tensor Adjoint(Tensor y)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            return y.matmul(_matrix).reshape(Input.Batch(y.shape[0])).MoveToOuterDisposeScope();
        }

        public override Tensor PseudoInverse(Tensor y, double eta = 0, SolveRequest? request = null) =>
            Spectrum is { } spectrum ? spectrum.PseudoInverse(y, eta) : base.PseudoInverse(y, eta, request);

        public override Tensor SolveNormal(Tensor b, double rho, SolveRequest? request = null) =>
            Spectrum is { } spectrum ? spectrum.SolveNormal(b, rho) : base.SolveNormal(b, rho, request);

        public override void Dispose()
        {
            foreach (Tensor? tensor in (Tensor?[])[_matrix, _u, _s, _v])
                tensor?.Dispose();
            base.Dispose();
        }

        // Rows that see most of the picture, fewer than it has values, are those of a transform.
        private OperatorTraits Look()
        {
            using DisposeScope scope = torch.NewDisposeScope();
            Tensor strength = _matrix.abs();
            bool spread =
                _matrix.shape[0] < _matrix.shape[1]
                && strength.gt(0.1 * strength.mean([1], keepdim: true)).to(ScalarType.Float32).mean().item<float>() > 0.5;
            return new()
            {
                ClosedForm = IsSmall,
                Transform = spread,
                CoarseMissing = spread && CoarseShare() < 0.9,
            };
        }

        // How much of the slowest waves is measured, were the rows orthogonal and of one length.
        private double CoarseShare()
        {
            Tensor Wave(int size) => ((torch.arange(size, device: Device) + 0.5) * (Math.PI / size)).cos().to(ScalarType.Float32);
            Tensor waves = (Wave(Input.Height).unsqueeze(1) + Wave(Input.Width)).expand(Input.Batch(1)).contiguous();
            double seen = Apply(waves).square().sum().item<float>() / waves.square().sum().item<float>();
            return seen * _matrix.shape[0] / _matrix.square().sum().item<float>();
        }

        private Spectrum Decompose()
        {
            using DisposeScope scope = torch.NewDisposeScope();
            (Tensor u, Tensor s, Tensor vt) = torch.linalg.svd(_matrix.to(ScalarType.Float64), fullMatrices: false);
            Tensor Keep(Tensor t) => t.to(ScalarType.Float32).contiguous().DetachFromDisposeScope();
            (_u, _s, _v) = (Keep(u), Keep(s), Keep(vt.t()));
            return Spectrum.Of(_s, x => Times(x.flatten(1), _v), c => Back(c), y => Times(y, _u));
        }

        private static Tensor Times(Tensor rows, Tensor matrix) => rows.matmul(matrix);

        private Tensor Back(Tensor c)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            return c.matmul(_v!.t()).reshape(Input.Batch(c.shape[0])).MoveToOuterDisposeScope();
        }
    }
}
