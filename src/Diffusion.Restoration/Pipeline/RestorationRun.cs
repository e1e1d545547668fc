using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Pipeline;

/// <summary>One run of a batch: sample after sample, or area after area.</summary>
internal sealed class RestorationRun(IRestoration restoration, Layout layout, RunOptions options, IReadOnlyList<Measurement> batch)
{
    private readonly RunReport[] _reports = [.. batch.Select(_ => new RunReport(0, new()))];
    private readonly List<PhiloxNoise> _sources = [];
    private int _part;

    /// <summary>Told synchronously after each step.</summary>
    public Action<RestoreProgress>? Progress { get; init; }

    /// <summary>Checked before each network evaluation.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>Handed named intermediates.</summary>
    public Action<string, Tensor>? Trace { get; init; }

    private int Parts => layout.Areas * options.Samples;

    /// <summary>Restores.</summary>
    public RestoredParts Execute() => layout is { Rows: { } rows, Columns: { } columns } ? InAreas(rows, columns) : Whole();

    private RestoredParts Whole()
    {
        Tensor[] samples =
        [
            .. Enumerable
                .Range(0, options.Samples)
                .Select(sample => Run(null, pictures => new(options.Seed, [.. pictures.Select(i => Key(batch[i].Name))], sample))),
        ];
        Tensor stacked = torch.stack(samples),
            mean = samples.Length == 1 ? samples[0] : stacked.mean([0L]);
        return new RestoredParts(mean, samples, stacked, restoration.Compare(null, mean), _reports) { Sources = _sources, Runs = Parts };
    }

    // Each area has random draws of its own.
    private RestoredParts InAreas(TileSpan[] rows, TileSpan[] columns)
    {
        ImageShape shape = restoration.Output;
        Tensor result = FileTensor.Empty(shape.Batch(1)).zero_();
        Misfit whole = default;
        foreach (TileSpan row in rows)
        {
            foreach (TileSpan column in columns)
            {
                using DisposeScope scope = torch.NewDisposeScope();
                PictureArea area = Layout.Area(row, column);
                ImageKey key = Key(FormattableString.Invariant($"{batch[0].Name}+{area.Left}+{area.Top}"));
                Tensor x = Run(area, _ => new(options.Seed, [key]));
                if (restoration.Compare(area, x) is [var misfit])
                    whole = whole.With(misfit);
                Tensor weights = torch.tensor(row.Weights).reshape(1, 1, -1, 1) * torch.tensor(column.Weights);
                result.narrow(2, row.Start, row.Length).narrow(3, column.Start, column.Length).add_(x.cpu() * weights);
            }
        }
        return new RestoredParts(result, [result], null, [whole], _reports) { Sources = _sources, Runs = Parts };
    }

    private Tensor Run(PictureArea? area, Func<IReadOnlyList<int>, PhiloxNoise> draw)
    {
        int part = ++_part;
        return restoration.Run(
            area,
            new MethodContext
            {
                Noise = pictures =>
                {
                    _sources.Add(draw(pictures));
                    return _sources[^1];
                },
                Tile = layout.Tile,
                Progress = Progress is { } told ? step => told(new(part, Parts, step)) : null,
                Cancellation = Cancellation,
                Trace = Trace,
                Report = (pictures, report) =>
                {
                    foreach (int i in pictures)
                        _reports[i] = report with { Evaluations = _reports[i].Evaluations + report.Evaluations };
                },
            }
        );
    }

    private static ImageKey Key(string name) => ImageKey.FromName(name);
}
