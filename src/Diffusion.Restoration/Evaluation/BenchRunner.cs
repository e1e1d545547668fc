using System.Runtime.InteropServices;
using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Metrics;
using Diffusion.Models;
using Diffusion.Operators;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.Solvers;
using Diffusion.ZeroShot;

namespace Diffusion.Evaluation;

/// <summary>Works through a plan, filling a table. Rows that the table has already are skipped.</summary>
/// <example><code>
/// BenchPlan plan = BenchFile.Read("restoration.yaml") with { Pictures = Directory.GetFiles("photos") };
/// using BenchTable table = BenchTable.Open("results.csv");
/// using BenchPriors priors = new(ComputePolicy.Choose());
/// BenchRunner runner = new(plan.Checked(ShippedOperators.Catalog, SolverCatalog.BuiltIn), table, priors, ComputePolicy.Choose());
/// runner.Run();
/// File.WriteAllText("results.md", BenchMarkdown.Write(BenchSummary.Of(runner.Rows), plan.Title));
/// </code></example>
public sealed class BenchRunner
{
    private readonly BenchPlan _plan;
    private readonly BenchTable _table;
    private readonly BenchPriors _priors;
    private readonly ComputePolicy _policy;
    private readonly IReadOnlyList<BenchJob> _jobs;
    private readonly HashSet<(string Prior, ImageShape Shape)> _warm = [];
    private readonly List<string> _failures = [];
    private int _done;

    /// <summary>Prepares a run.</summary>
    /// <param name="plan">A checked plan.</param>
    /// <param name="table">Where rows go; borrowed.</param>
    /// <param name="priors">The priors; borrowed.</param>
    /// <param name="policy">How networks are computed.</param>
    public BenchRunner(BenchPlan plan, BenchTable table, BenchPriors priors, ComputePolicy policy)
    {
        _plan = plan;
        _table = table;
        _priors = priors;
        _policy = policy;
        _jobs = [.. plan.Jobs(new FileHashes())];
        Total = _jobs.Sum(job => Cells(job).Count());
    }

    /// <summary>Where operators are looked up.</summary>
    public OperatorCatalog Operators { get; init; } = ShippedOperators.Catalog;

    /// <summary>Where solvers are looked up.</summary>
    public SolverCatalog Solvers { get; init; } = SolverCatalog.BuiltIn;

    /// <summary>Keeps pictures for the report; null keeps none.</summary>
    public BenchPictures? Pictures { get; init; }

    /// <summary>Measures LPIPS as well; null: not. Borrowed.</summary>
    public Lpips? Lpips { get; init; }

    /// <summary>Told after each row and each failure.</summary>
    public Action<BenchProgress>? Progress { get; init; }

    /// <summary>The number of restorations by solvers in the plan.</summary>
    public int Total { get; }

    /// <summary>How many of them the table lacks.</summary>
    public int Missing => _jobs.Sum(job => Cells(job).Count(cell => !_table.Has(cell.Cell)));

    /// <summary>What failed, one sentence each. It is tried again in the next run.</summary>
    public IReadOnlyList<string> Failures => _failures;

    /// <summary>The rows of the table that belong to the plan.</summary>
    public IReadOnlyList<BenchRow> Rows
    {
        get
        {
            HashSet<BenchCell> measured = [.. _jobs.Select(job => job.Measured)],
                solved = [.. _jobs.SelectMany(Cells).Select(cell => cell.Cell)];
            return
            [
                .. _table.Rows.Where(row =>
                    row.Role == BenchRole.Solver ? solved.Contains(row.Cell) : measured.Contains(row.Cell.Measured)
                ),
            ];
        }
    }

    /// <summary>Runs. When it is cancelled, what is finished is in the table.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="DiffusionException">
    /// A picture or a prior cannot be read. A restoration that fails goes to <see cref="Failures"/>, and the others go on.
    /// </exception>
    public void Run(CancellationToken cancellation = default)
    {
        using ComputeScope scope = new();
        HashSet<BenchCell> compared = [.. _table.Rows.Where(row => row.Role == BenchRole.Reference).Select(row => row.Cell.Measured)];
        bool LacksBaselines(BenchJob job) => _plan.Baselines && !compared.Contains(job.Measured);
        _done = Total - Missing;
        foreach (IGrouping<(string File, BenchSize Size), BenchJob> group in _jobs.GroupBy(job => (job.File, job.Size)))
        {
            BenchJob[] open = [.. group.Where(job => LacksBaselines(job) || Cells(job).Any(cell => !_table.Has(cell.Cell)))];
            if (open.Length == 0)
                continue;
            using Picture picture = Read(group.Key.File, group.Key.Size);
            foreach (BenchJob job in open)
                Run(job, picture, LacksBaselines(job), cancellation);
        }
    }

    private void Run(BenchJob job, Picture picture, bool baselines, CancellationToken cancellation)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        (BenchCell Cell, BenchSolver Solver)[] open = [.. Cells(job).Where(cell => !_table.Has(cell.Cell))];
        BenchMeasurement? measurement = null;
        if (
            !Try(job.Measured, open.Length, () =>
                measurement = BenchMeasurement.Of(picture, Operators.Parse(job.Measured.Operator), job.Measured)
            )
        )
            return;
        using BenchMeasurement measured = measurement!;
        Pictures?.Keep(job.Measured, measured);
        if (baselines)
            RunBaselines(job, measured, cancellation);
        foreach (IGrouping<string, (BenchCell Cell, BenchSolver Solver)> group in open.GroupBy(cell => cell.Cell.PriorPath))
        {
            IDenoiser prior = _priors.Load(group.Key);
            using ZeroShotMethod method = ZeroShotMethod.Lent(prior);
            foreach ((BenchCell cell, BenchSolver solver) in group)
            {
                cancellation.ThrowIfCancellationRequested();
                Finish(cell, BenchRole.Solver, measured, () =>
                {
                    WarmUp(group.Key, prior, measured.Clean);
                    return BenchRestoration.Solve(
                        method.With(Options(cell, solver, measured)),
                        measured.Measured,
                        _plan.Repeat,
                        cancellation
                    );
                });
            }
        }
    }

    private RestoreOptions Options(BenchCell cell, BenchSolver solver, BenchMeasurement measured) =>
        new()
        {
            Operator = measured.Spec,
            Noise = measured.Noise,
            Solver = solver.Name,
            Preset = solver.Preset,
            Set = solver.Set,
            Steps = cell.Steps,
            Seed = cell.Seed,
            Solvers = Solvers,
            Policy = _policy,
        };

    private void RunBaselines(BenchJob job, BenchMeasurement measured, CancellationToken cancellation)
    {
        IReadOnlyList<(string Name, Func<Tensor> Restore)> baselines = BenchBaselines.For(
            measured.A,
            measured.Measured.Y,
            measured.Noise,
            measured.Clean
        );
        foreach ((string name, Func<Tensor> restore) in baselines)
        {
            cancellation.ThrowIfCancellationRequested();
            BenchCell cell = job.Measured with { Method = name };
            if (!_table.Has(cell))
                Finish(cell, name == baselines[^1].Name ? BenchRole.Reference : BenchRole.Baseline, measured, () =>
                    BenchRestoration.Classical(restore, _plan.Repeat)
                );
        }
    }

    /// <summary>Restores, measures, and writes the row.</summary>
    private void Finish(BenchCell cell, BenchRole role, BenchMeasurement measured, Func<BenchRestoration> restore)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        BenchRow? row = null;
        if (!Try(cell, role == BenchRole.Solver ? 1 : 0, () =>
            {
                BenchRestoration restored = restore();
                (PictureMetrics metrics, double? highBand) = measured.Compare(restored.X, cell.Border);
                row = new BenchRow(cell, role, metrics, highBand, restored.Evaluations, restored.Seconds, restored.PeakMegabytes)
                {
                    Lpips = measured.Distance(restored.X, Lpips),
                    Height = (int)measured.Clean.shape[2],
                    Width = (int)measured.Clean.shape[3],
                    Threads = torch.get_num_threads(),
                    Version = Versions.Library,
                };
                Pictures?.Keep(cell, restored.X);
            }))
            return;
        _table.Append(row!);
        if (role == BenchRole.Solver)
            _done++;
        Progress?.Invoke(new BenchProgress(_done, Total, row, null));
    }

    /// <summary>Runs what may fail without ending the benchmark; a failure settles <paramref name="cells"/> restorations.</summary>
    private bool Try(BenchCell cell, int cells, Action work)
    {
        try
        {
            work();
            return true;
        }
        catch (Exception e) when (e is DiffusionException or ArgumentException or NotSupportedException or ExternalException)
        {
            string method = cell.Method.Length == 0 ? "" : $", {cell.Method}{(cell.Steps is { } steps ? $" at {steps} evaluations" : "")}";
            _failures.Add($"{cell.Picture}, {cell.Operator}, noise {cell.Noise}{method}: {e.Message.Split('\n')[0]}");
            _done += cells;
            Progress?.Invoke(new BenchProgress(_done, Total, null, _failures[^1]));
            return false;
        }
    }

    // The first evaluation of a size compiles kernels and fills the allocator: no part of anybody's time.
    private void WarmUp(string name, IDenoiser prior, Tensor clean)
    {
        ImageShape shape = new(prior.Info.Channels, (int)clean.shape[2], (int)clean.shape[3]);
        if (!_warm.Add((name, shape)) || prior.Info.TilesBeyond < Math.Max(shape.Height, shape.Width))
            return;
        using Tensor zeros = torch.zeros(shape.Batch(1), device: _policy.Device);
        prior.Denoise(zeros, Math.Clamp(0.5, prior.Info.NoiseRange.Min, prior.Info.NoiseRange.Max)).Dispose();
    }

    private static Picture Read(string file, BenchSize size)
    {
        using Picture picture = ImageFile.Read(file);
        return new Picture(size.Apply(picture.Pixels)) { Name = picture.Name };
    }

    private IEnumerable<(BenchCell Cell, BenchSolver Solver)> Cells(BenchJob job) =>
        _plan.Cells(job, _priors.Sha, _policy.NetworkDtype.ToString().ToLowerInvariant());
}
