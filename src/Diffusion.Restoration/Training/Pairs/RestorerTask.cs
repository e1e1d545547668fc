using System.Text.Json.Nodes;
using Diffusion.Imaging;
using Diffusion.Metrics;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Synthesis;

namespace Diffusion.Training;

/// <summary>A restorer of degraded pictures in one evaluation: a small NAFNet, and its published loss, the negative PSNR.</summary>
public sealed record RestorerTask : PairTask
{
    private const int Shown = 6,
        ShownSide = 192,
        Multiple = 16;
    private const double Floor = 1e-8;

    /// <summary>The network: the published one of width 32 with a sixth of its blocks and half of its width.</summary>
    public NafNetConfig Architecture { get; init; } =
        new()
        {
            Width = 16,
            EncoderBlocks = [1, 1, 2, 4],
            MiddleBlocks = 2,
            DecoderBlocks = [1, 1, 1, 1],
        };

    /// <inheritdoc/>
    public override Network Create(ComputePolicy policy) => new NafNet(Architecture, policy);

    /// <inheritdoc/>
    public override (Tensor Loss, Tensor Error) Loss(Network network, PairBatch batch, ulong seed, long step, int first)
    {
        Tensor error = (((NafNet)network).Restore(batch.Degraded) - batch.Clean).square().mean([1, 2, 3]);
        return (10 * (error + Floor).log10(), error);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<(string Name, double Value)> Validate(Network network, IReadOnlyList<TrainingPair> held, string sheet)
    {
        if (held.Count == 0)
            return [];
        using ComputeScope scope = new();
        List<SheetPanel> panels = [];
        List<(double Before, double After)> scores = [];
        HashSet<DegradationKind> seen = [];
        foreach (TrainingPair pair in held)
        {
            using DisposeScope inner = torch.NewDisposeScope();
            (Tensor clean, Tensor degraded) = Middle(pair, ShownSide, Multiple);
            Tensor restored = ((NafNet)network).Restore(degraded).clamp(0, 1);
            scores.Add((Psnr.Compute(degraded, clean), Psnr.Compute(restored, clean)));
            if (panels.Count >= 3 * Shown || !seen.Add(pair.File.Kind))
                continue;
            panels.Add(new(DegradationKinds.NameOf(pair.File.Kind), degraded.DetachFromDisposeScope()));
            panels.Add(new("restored", restored.DetachFromDisposeScope()));
            panels.Add(new("clean", clean.DetachFromDisposeScope()));
        }
        Draw(sheet, panels);
        return [("psnr degraded", scores.Average(s => s.Before)), ("psnr restored", scores.Average(s => s.After))];
    }

    /// <inheritdoc/>
    public override JsonObject Card() => new() { ["kind"] = "nafnet", ["config"] = NafNetConfig.Keys.Write(Architecture) };
}
