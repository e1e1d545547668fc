using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Pipeline;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.Solvers;

namespace Diffusion.ZeroShot;

/// <summary>A batch in the hands of prior, operator and solver.</summary>
internal sealed class ZeroShotRestoration(ZeroShotMethod method, OperatorSpec spec, IReadOnlyList<Measurement> batch) : IRestoration
{
    // Seen by the prior around what counts.
    private const int Surroundings = 32;

    private IReadOnlyList<NoiseGroup> _groups = [];
    private AreaOperators? _areas;
    private ImageShape? _cut;
    private (PictureArea? Area, BoundProblem Problem)? _bound;

    private PriorInfo Prior => method.PriorInfo;

    private Measurement First => batch[0];

    /// <inheritdoc/>
    public string Operator => spec.ToString();

    /// <inheritdoc/>
    public ImageShape Output =>
        (_bound is { Area: null } whole ? whole.Problem.A.Input : _cut)
        ?? (First.Shape is { } seen ? ExpectedFrom(seen) : First.Clean)
        ?? Bound(null).A.Input;

    /// <inheritdoc/>
    public PixelGrid? Grid => _bound is { Area: null } whole ? MeasuredGrid.Of(whole.Problem.A) : null;

    /// <inheritdoc/>
    public int? TilesBeyond => Prior.TilesBeyond;

    /// <inheritdoc/>
    public AreaGrid? Areas => _areas is { } operators ? GridOf(operators) : FindAreas();

    private AreaGrid? FindAreas()
    {
        // Which values are missing is known of the whole only.
        if (First.Shape is not { } seen || First.Known is not null)
            return null;
        ImageShape expected = ExpectedFrom(seen);
        foreach (int channels in new[] { Prior.Channels, seen.Channels, 1 }.Distinct())
        {
            ImageShape picture = expected with { Channels = channels };
            if (Cut(picture, seen) is not { } operators)
                continue;
            (_areas, _cut) = (operators, picture);
            return GridOf(operators);
        }
        return null;
    }

    private AreaGrid GridOf(AreaOperators operators) =>
        new(_cut!.Value, AreaOperators.CommonMultiple(operators.Period, Prior.SizeMultiple), operators.Reach + Surroundings);

    /// <inheritdoc/>
    public long Bytes(int height, int width, int batch, int? tile) =>
        method.Memory.Bytes(new ImageShape(Prior.Channels, height, width), batch, tile);

    /// <inheritdoc/>
    public long Pixels(int height, int width, int? tile)
    {
        using TiledDenoiser? tiled = tile is { } side ? TiledDenoiser.Around(method.Prior, side) : null;
        return tiled?.Pixels(height, width) ?? (long)height * width;
    }

    /// <inheritdoc/>
    public IReadOnlyList<MethodChoice> Choose(PictureArea? area)
    {
        using ComputeScope scope = new();
        BoundProblem problem = Bound(area);
        foreach (Measurement measurement in batch)
            CheckScale(measurement, problem.A);
        _groups = NoiseGroup.Of(method, problem, batch, i => Measured(i, area), whole => Part(whole, area));
        MethodChoice[] choices = new MethodChoice[batch.Count];
        foreach (NoiseGroup group in _groups)
        foreach ((int i, PictureNoise noise) in group.Pictures.Zip(group.Noises))
            choices[i] = group.Choice with
            {
                Noise = noise.Level,
                Doubt = MaskDoubt.Of(problem.A, Measured(i, area).to(method.Policy.Device), noise.Level),
                Opaque = area is null && MaskDoubt.IsAlpha(problem.A, batch[i]),
            };
        return choices;
    }

    /// <inheritdoc/>
    public Tensor Run(PictureArea? area, MethodContext context)
    {
        BoundProblem problem = Bound(area);
        using IDenoiser? tiled = context.Tile is { } tile ? TiledDenoiser.Around(method.Prior, tile) : null;
        Tensor[] solved = [.. _groups.Select((group, i) => Solve(group, i, problem, tiled ?? method.Prior, area, context))];
        return solved.Length == 1 ? solved[0] : torch.cat(solved).index_select(0, Places());
    }

    /// <inheritdoc/>
    public IReadOnlyList<Misfit> Compare(PictureArea? area, Tensor x)
    {
        BoundProblem problem = Bound(area);
        Misfit[] misfits = new Misfit[batch.Count];
        foreach (NoiseGroup group in _groups.Where(group => group.Noise.Level > 0))
        {
            Tensor restored = group.Pictures.Count == batch.Count ? x : x.index_select(0, Indices(group.Pictures));
            double level = group.Noise.Level;
            InverseProblem measured = new(Measured(group.Pictures, area), problem.A, level)
            {
                Unevenness =
                    group.Noise.Map is not null ? Mapped(group, area) / level
                    : group.Noise.Model.GrowsWithSignal ? group.Noise.Model.Deviations(problem.A.Apply(restored)) / level
                    : null,
            };
            foreach ((int picture, Misfit misfit) in group.Pictures.Zip(WhitenedResidual.Of(measured, restored)))
                misfits[picture] = misfit;
        }
        return misfits;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Release();
        _areas?.Dispose();
    }

    // Only where the operator leaves a picture's values where they are.
    private void CheckScale(Measurement measurement, LinearOperator a)
    {
        if (!measurement.IsOfUnknownScale || !a.Output.IsImage)
            return;
        const double Slack = 1e-2;
        Tensor white = a.Apply(torch.ones(a.Input.Batch(1), device: a.Device)),
            seen = white.masked_select(a.Restrict(torch.ones_like(white)).gt(0.5));
        if (seen.min().item<float>() < 0.5 || seen.max().item<float>() > 1 + Slack)
            return;
        double sigma = method.Options.Noise is { IsAuto: false } given
            ? NoiseLevel.OnUnitScale(method.Options, measurement, given).Largest
            : double.NaN;
        measurement.CheckScale(sigma <= 0.1 ? Math.Max(0.05, 6 * sigma) : 0.5);
    }

    private Tensor Solve(NoiseGroup group, int index, BoundProblem problem, IDenoiser prior, PictureArea? area, MethodContext context)
    {
        CountingDenoiser counted = CountingDenoiser.Around(prior);
        PictureNoise noise = group.Noise;
        Tensor y = Measured(group.Pictures, area);
        Tensor? unevenness =
            noise.Map is not null ? Mapped(group, area) / noise.Level
            : noise.IsUneven ? noise.Model.DeviationsOf(y, problem.A) / noise.Level
            : null;
        if (noise.Stabilization is { } stabilization)
            y = problem.A.Restrict(stabilization.Apply(y));
        Tensor x = group.Solver.Solve(
            problem.Problem(y, noise.Sigma, method.ConditionOf([.. group.Pictures.Select(i => batch[i])]), unevenness),
            counted,
            new SolverContext
            {
                Noise = context.Noise(group.Pictures),
                Precision = StepPrecision.Default,
                Solves = group.Solves,
                Cancellation = context.Cancellation,
                // One group after the other: together they are one run.
                Progress = context.Progress is { } told ? step => told(step.Within(index, _groups.Count, group.Solver.Evaluations)) : null,
                Trace = context.Trace,
            }
        );
        context.Report?.Invoke(group.Pictures, new RunReport(counted.Evaluations, group.Solves));
        Tensor picture = problem.Picture(x);
        return noise.Stabilization?.Invert(picture) ?? picture;
    }

    // Where each picture lies among the groups' results.
    private Tensor Places()
    {
        long[] places = new long[batch.Count];
        int at = 0;
        foreach (int picture in _groups.SelectMany(group => group.Pictures))
            places[picture] = at++;
        return torch.tensor(places, device: method.Policy.Device);
    }

    private Tensor Indices(IReadOnlyList<int> pictures) =>
        torch.tensor(pictures.Select(i => (long)i).ToArray(), device: method.Policy.Device);

    private Tensor Measured(IReadOnlyList<int> pictures, PictureArea? area) =>
        torch.cat([.. pictures.Select(i => Measured(i, area))]).to(method.Policy.Device).contiguous();

    private Tensor Measured(int picture, PictureArea? area)
    {
        return Part(batch[picture].Y, area);
    }

    // The standard deviations that a file says.
    private Tensor Mapped(NoiseGroup group, PictureArea? area) =>
        Part(group.Noise.Map!.For(batch[group.Pictures[0]]), area).to(method.Policy.Device);

    // What is measured of an area, of the whole measurement or something in its shape.
    private Tensor Part(Tensor whole, PictureArea? area)
    {
        return area is { } rectangle && rectangle.Reduced(_areas!.Reduction) is var seen
            ? whole.narrow(2, seen.Top, seen.Height).narrow(3, seen.Left, seen.Width)
            : whole;
    }

    // One part at a time is bound; the whole's operator is the method's, which keeps it.
    private BoundProblem Bound(PictureArea? area)
    {
        if (_bound is { } kept && kept.Area == area)
            return kept.Problem;
        Release();
        BoundProblem problem = area is { } rectangle
            ? BoundProblem.Of(spec, _areas!.Bind(rectangle), Prior.Channels, Prior.Name)
            : method.Bind(spec, First);
        _bound = (area, problem);
        return problem;
    }

    private void Release()
    {
        if (_bound is { Area: not null } kept)
            kept.Problem.Dispose();
        _bound = null;
    }

    private ImageShape ExpectedFrom(ImageShape seen)
    {
        if (First.Clean is { } clean && First.Side!.Operator == spec.ToString())
            return clean with { Channels = Prior.Channels };
        (int height, int width) = InputSize.Before(spec, seen.Height, seen.Width);
        return new ImageShape(Prior.Channels, height, width);
    }

    // The operators of areas, where the spec has them and they measure the picture as it was measured.
    private AreaOperators? Cut(ImageShape picture, ImageShape seen)
    {
        try
        {
            if (spec.ByArea(picture, method.Policy.Device) is not { } operators)
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
}
