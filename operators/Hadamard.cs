using System.Numerics;
using Diffusion.Inverse;
using Diffusion.Numerics;
using Diffusion.Runtime;
using Diffusion.Settings;

namespace Diffusion.Operators;

/// <summary>Which Walsh-Hadamard coefficients are measured.</summary>
public enum HadamardOrder
{
    /// <summary>At random.</summary>
    Random,

    /// <summary>Those of the lowest sequency, the number of sign changes: the coarse structure.</summary>
    Sequency,

    /// <summary>The first of the natural order.</summary>
    Natural,
}

/// <summary>
/// Some coefficients of an orthonormal Walsh-Hadamard transform of any size: compressed sensing with a single-pixel camera. The mean is
/// always measured. A A^T = I.
/// </summary>
[Operator(
    "hadamard",
    About = "Some Walsh-Hadamard coefficients: compressed sensing",
    Examples = "hadamard:ratio=0.25\nhadamard:ratio=0.1,order=sequency"
)]
public sealed record Hadamard : OperatorSpec
{
    /// <summary>The fraction of coefficients that is measured (an exact count, at least the mean).</summary>
    [Setting(Min = 0, Max = 1)]
    public double Ratio { get; init; } = 0.25;

    /// <summary>Seed of the random choice.</summary>
    [Setting]
    public ulong Seed { get; init; }

    /// <summary>Which coefficients: random ones, those of lowest sequency, or the first in natural order.</summary>
    [Setting]
    public HadamardOrder Order { get; init; } = HadamardOrder.Random;

    /// <inheritdoc/>
    protected override LinearOperator Create(ImageShape input, Device device)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        long pixels = (long)input.Height * input.Width,
            count = Math.Max(1, (long)Math.Round(Ratio * pixels));
        Tensor order = Order switch
        {
            HadamardOrder.Natural => torch.arange(pixels),
            HadamardOrder.Sequency => Lowest(input),
            _ => Permutation.Random(pixels, Seed, 0),
        };
        // Coefficient 0, the mean, comes first whatever the order.
        Tensor chosen = torch
            .cat([torch.zeros(1, dtype: ScalarType.Int64), order.masked_select(order.ne(0)).slice(0, 0, count - 1, 1)])
            .sort()
            .Values;
        return new Coefficients(input, chosen.to(device), Order == HadamardOrder.Random && Ratio < 1);
    }

    private static Tensor Lowest(ImageShape input)
    {
        (int[] rows, int[] columns) = (Sequencies(input.Height), Sequencies(input.Width));
        long[] index = [.. Enumerable.Range(0, input.Height * input.Width).Select(i => (long)i)];
        int[] keys = [.. index.Select(i => rows[i / input.Width] * columns.Length + columns[i % input.Width] * rows.Length)];
        Array.Sort(keys, index);
        return torch.tensor(index);
    }

    // The rank by sign changes of coefficient h q + d of a direction of 2^a q pixels: natural index h has the sequency whose Gray code is h
    // bit-reversed.
    private static int[] Sequencies(int n)
    {
        int a = BitOperations.TrailingZeroCount(n),
            q = n >> a;
        return [.. Enumerable.Range(0, n).Select(i => Sequency(i / q, a) * q + i % q)];

        static int Sequency(int h, int bits)
        {
            int reversed = 0;
            for (int b = 0; b < bits; b++)
                reversed |= (h >> b & 1) << (bits - 1 - b);
            for (int shift = 1; shift < bits; shift <<= 1)
                reversed ^= reversed >> shift;
            return reversed;
        }
    }

    private sealed class Coefficients(ImageShape input, Tensor chosen, bool scattered) : OrthogonalRowsOperator
    {
        private readonly Tensor _chosen = chosen.DetachFromDisposeScope();

        public override ImageShape Input { get; } = input;
        public override MeasurementShape Output { get; } = new(input.Channels, chosen.shape[0]);
        public override Device Device => _chosen.device;
        public override OperatorTraits Traits => base.Traits with { Transform = true, CoarseMissing = scattered };

        public override Tensor Apply(Tensor x)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            return WalshHadamard.Forward(x).flatten(2).index_select(2, _chosen).MoveToOuterDisposeScope();
        }

        public override Tensor Adjoint(Tensor y)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            Tensor all = torch
                .zeros([y.shape[0], Input.Channels, (long)Input.Height * Input.Width], dtype: y.dtype, device: y.device)
                .index_copy_(2, _chosen, y);
            return WalshHadamard.Inverse(all.reshape(Input.Batch(y.shape[0]))).MoveToOuterDisposeScope();
        }

        /// <summary>Of the pictures that explain the coefficients, one of little total variation.</summary>
        public override Tensor Guess(Tensor y, SolveRequest? request = null) => TotalVariation.Guess(this, y, request);

        public override void Dispose()
        {
            _chosen.Dispose();
            base.Dispose();
        }
    }
}
