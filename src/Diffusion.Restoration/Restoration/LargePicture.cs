using System.Diagnostics;
using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Runtime;
using Diffusion.Solvers;

namespace Diffusion.Restoration;

/// <summary>
/// A picture that is too large for the memory as a whole: it is restored in overlapping areas, one after the other, each with its
/// surroundings, which are blended where they overlap.
/// </summary>
/// <remarks>
/// For operators that look only at a pixel's surroundings (<see cref="OperatorSpec.ByArea"/>). Nearer to a cut than the operator reaches,
/// and a little more for the prior, an area's pixels count nothing.
/// An area has random draws of its own.
/// </remarks>
internal sealed class LargePicture : IDisposable
{
    // Seen by the prior around what counts, and then shared by neighbours while one fades into the other.
    private const int Surroundings = 32,
        Shared = 64;

    // Pictures of the whole size that are held at once, though the system may write them out: the measurement, the result, and the result's
    // samples or a mask.
    private const int WholePictures = 3;
    private const int SmallestSide = 512,
        LargestSide = 4096,
        SideStep = 128;

    private readonly OperatorSpec _spec;
    private readonly AreaOperators _operators;
    private readonly TileSpan[] _rows,
        _columns;

    private LargePicture(OperatorSpec spec, AreaOperators operators, ImageShape picture, Cutting cutting)
    {
        (_spec, _operators, Shape, Tile, Bytes, Pixels) = (spec, operators, picture, cutting.Tile, cutting.Bytes, cutting.Pixels);
        (_rows, _columns) = (Normalised(cutting.Rows, picture.Height), Normalised(cutting.Columns, picture.Width));
    }

    /// <summary>The restored picture's shape.</summary>
    public ImageShape Shape { get; }

    /// <summary>Side of the prior's tiles within an area; null for whole areas.</summary>
    public int? Tile { get; }

    /// <summary>Memory of the process at its peak.</summary>
    public long Bytes { get; }

    /// <summary>Number of areas.</summary>
    public int Areas => _rows.Length * _columns.Length;

    /// <summary>
    /// Pixels that the prior computes in an evaluation of all areas: more than the picture's, since areas and tiles overlap.
    /// </summary>
    public long Pixels { get; }

    /// <summary>
    /// How <paramref name="measurement"/> is restored area by area; null where it fits into the memory as a whole, or cannot be cut up.
    /// </summary>
    public static LargePicture? Of(
        OperatorSpec spec,
        Measurement measurement,
        RestoreOptions options,
        IDenoiser prior,
        ComputePolicy policy
    )
    {
        if (options.Samples > 1 || measurement.Shape is not { } seen)
            return null;
        MemoryEstimate estimate = MemoryEstimate.Of(prior);
        long bound = options.Memory ?? MemoryEstimate.Available();
        (int height, int width) =
            measurement.Clean is { } clean && measurement.Side!.Operator == spec.ToString()
                ? (clean.Height, clean.Width)
                : InputSize.Before(spec, seen.Height, seen.Width);
        if (Tiling.Fit(prior, options, estimate, new ImageShape(prior.Info.Channels, height, width), 1, bound).Fits)
            return null;
        foreach (int channels in new[] { prior.Info.Channels, seen.Channels, 1 }.Distinct())
        {
            ImageShape picture = new(channels, height, width);
            if (Cut(spec, picture, seen, policy.Device) is not { } operators)
                continue;
            if (Best(operators, prior, options, estimate, picture, bound) is { } cutting)
                return new LargePicture(spec, operators, picture, cutting);
            operators.Dispose();
        }
        return null;
    }

    /// <summary>The noise level, and the solver for every area, as the middle one asks for them.</summary>
    public (double Sigma, bool Estimated, string Name, ISolver Solver) Choose(
        Measurement measurement,
        RestoreOptions options,
        SolverCatalog solvers,
        IDenoiser prior,
        ComputePolicy policy
    )
    {
        using DisposeScope scope = torch.NewDisposeScope();
        (TileSpan row, TileSpan column) = (_rows[_rows.Length / 2], _columns[_columns.Length / 2]);
        using BoundProblem problem = Bind(row, column, prior);
        double sigma = NoiseLevel.Of(
            options,
            measurement,
            problem.A,
            Measured(measurement, row, column).to(policy.Device),
            out bool estimated
        );
        (string name, ISolver solver) = SolverChoice.Create(
            options,
            solvers,
            PresetRequest.For(problem.A, sigma * problem.Scale, prior.Info, options.Steps)
        );
        return (sigma, estimated, name, solver);
    }

    /// <summary>Restores it.</summary>
    public RestoredPicture Restore(
        Measurement measurement,
        RestoreOptions options,
        SolverCatalog solvers,
        IDenoiser prior,
        ComputePolicy policy,
        Condition condition,
        Action<RestoreProgress>? progress,
        CancellationToken cancellation
    )
    {
        Stopwatch watch = Stopwatch.StartNew();
        (double sigma, bool estimated, string name, ISolver solver) = Choose(measurement, options, solvers, prior, policy);
        using IDenoiser? tiled = Tile is { } tile ? TiledDenoiser.Around(prior, tile) : null;
        Tensor result = FileTensor.Empty(Shape.Batch(1)).zero_();
        double residual = 0,
            measured = 0;
        SolveLog solves = new();
        int done = 0;
        foreach (TileSpan row in _rows)
        {
            foreach (TileSpan column in _columns)
            {
                using DisposeScope scope = torch.NewDisposeScope();
                using BoundProblem problem = Bind(row, column, prior);
                Tensor y = Measured(measurement, row, column).to(policy.Device).contiguous();
                Tensor x = solver.Solve(
                    new InverseProblem(y * problem.Scale, problem.Solved, sigma * problem.Scale, condition),
                    tiled ?? prior,
                    new SolverContext
                    {
                        Noise = new PhiloxNoise(
                            options.Seed,
                            [ImageKey.FromName(FormattableString.Invariant($"{measurement.Name}+{column.Start}+{row.Start}"))]
                        ),
                        Precision = StepPrecision.Default,
                        Solves = solves,
                        Cancellation = cancellation,
                        Progress = progress is null ? null : step => progress(new(done + 1, Areas, step)),
                    }
                );
                if (problem.IsGray)
                    x = GrayMeasurement.Mean(x);
                if (sigma > 0)
                {
                    residual += problem.A.MeasurementCount * WhitenedResidual.Of(new InverseProblem(y, problem.A, sigma), x)[0];
                    measured += problem.A.MeasurementCount;
                }
                Tensor weights = torch.tensor(row.Weights).reshape(1, 1, -1, 1) * torch.tensor(column.Weights);
                result.narrow(2, row.Start, row.Length).narrow(3, column.Start, column.Length).add_(x.cpu() * weights);
                done++;
            }
        }
        double? whitened = sigma > 0 ? residual / measured : null;
        return new RestoredPicture
        {
            Picture = new Picture(
                result.clamp_(0, 1),
                measurement.Alpha is null ? null : AlphaChannel.Resize(measurement.Alpha, Shape.Height, Shape.Width)
            )
            {
                Name = measurement.Name,
                BitDepth = measurement.BitDepth,
            },
            Operator = _spec.ToString(),
            Noise = sigma,
            NoiseEstimated = estimated,
            Solver = name,
            Evaluations = solver.Evaluations,
            Areas = Areas,
            Seconds = watch.Elapsed.TotalSeconds,
            WhitenedResidual = whitened,
            Solves = solves,
            Hint = whitened > 1 ? WhitenedResidual.Hint(whitened.Value) : null,
        };
    }

    /// <inheritdoc/>
    public void Dispose() => _operators.Dispose();

    private BoundProblem Bind(TileSpan row, TileSpan column, IDenoiser prior) =>
        BoundProblem.Of(
            _spec,
            _operators.Bind(new PictureArea(row.Start, column.Start, row.Length, column.Length)),
            prior.Info.Channels,
            prior.Info.Name
        );

    private Tensor Measured(Measurement measurement, TileSpan row, TileSpan column)
    {
        PictureArea area = new PictureArea(row.Start, column.Start, row.Length, column.Length).Reduced(_operators.Reduction);
        return measurement.Y.narrow(2, area.Top, area.Height).narrow(3, area.Left, area.Width);
    }

    /// <summary>Areas and the tiles within them.</summary>
    private sealed record Cutting(TileSpan[] Rows, TileSpan[] Columns, int? Tile, long Bytes, long Pixels);

    // Of all areas that fit into the memory, those that the prior computes the fewest pixels for: large areas need tiles, which overlap,
    // small ones overlap themselves.
    private static Cutting? Best(
        AreaOperators operators,
        IDenoiser prior,
        RestoreOptions options,
        MemoryEstimate estimate,
        ImageShape picture,
        long bound
    )
    {
        int multiple = AreaOperators.CommonMultiple(operators.Period, prior.Info.SizeMultiple),
            reach = operators.Reach + Surroundings,
            margin = Up(reach),
            overlap = 2 * margin + Up(Shared);
        long whole = (long)WholePictures * picture.Count * sizeof(float);
        Cutting? best = null;
        for (int side = SmallestSide; side < Math.Min(LargestSide + 1, Math.Max(picture.Height, picture.Width)); side += SideStep)
        {
            if (side < 4 * reach)
                continue;
            ImageShape area = new(prior.Info.Channels, Math.Min(Up(side), picture.Height), Math.Min(Up(side), picture.Width));
            (bool fits, int? tile) = Tiling.Fit(prior, options, estimate, area, 1, bound - whole);
            if (!fits)
                break;
            (TileSpan[] rows, TileSpan[] columns) = (
                TileSpan.Cut(picture.Height, Up(side), overlap, margin, multiple),
                TileSpan.Cut(picture.Width, Up(side), overlap, margin, multiple)
            );
            using TiledDenoiser? tiled = tile is { } asked ? TiledDenoiser.Around(prior, asked) : null;
            long pixels = rows.Sum(row =>
                columns.Sum(column => tiled?.Pixels(row.Length, column.Length) ?? (long)row.Length * column.Length)
            );
            if (best is null || pixels < best.Pixels)
                best = new Cutting(rows, columns, tile, estimate.Bytes(area, 1, tile) + whole, pixels);
        }
        return best;

        int Up(int pixels) => (pixels + multiple - 1) / multiple * multiple;
    }

    // The operators of areas, where the spec has them and they measure the picture as it was measured.
    private static AreaOperators? Cut(OperatorSpec spec, ImageShape picture, ImageShape seen, Device device)
    {
        try
        {
            if (spec.ByArea(picture, device) is not { } operators)
                return null;
            using LinearOperator corner = operators.Bind(
                new PictureArea(0, 0, Math.Min(picture.Height, 8 * operators.Period), Math.Min(picture.Width, 8 * operators.Period))
            );
            if (
                corner.Output.IsImage
                && corner.Output.Image.Channels == seen.Channels
                && picture.Height == seen.Height * operators.Reduction
                && picture.Width == seen.Width * operators.Reduction
            )
                return operators;
            operators.Dispose();
            return null;
        }
        catch (OperatorSpecException)
        {
            return null; // The whole picture's operator says what is wrong.
        }
    }

    // Weights that sum to one at every pixel.
    private static TileSpan[] Normalised(TileSpan[] spans, int length)
    {
        float[] total = new float[length];
        foreach (TileSpan span in spans)
            for (int i = 0; i < span.Length; i++)
                total[span.Start + i] += span.Weights[i];
        return [.. spans.Select(span => span with { Weights = [.. span.Weights.Select((weight, i) => weight / total[span.Start + i])] })];
    }
}
