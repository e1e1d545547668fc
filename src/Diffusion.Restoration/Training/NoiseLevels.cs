using Diffusion.Models;
using Diffusion.Sampling;

namespace Diffusion.Training;

/// <summary>Which noise levels a prior is trained on.</summary>
public sealed class NoiseLevels
{
    private readonly NoiseSchedule _schedule;
    private readonly NoiseLevelSettings _settings;

    /// <summary>Levels for a schedule; sigma is on [-1,1].</summary>
    public NoiseLevels(NoiseSchedule schedule, NoiseLevelSettings settings)
    {
        _schedule = schedule;
        _settings = settings;
    }

    /// <summary>Number of bins that the loss is balanced over.</summary>
    public const int Bins = 24;

    /// <summary>Smallest and largest level that is trained on.</summary>
    public (double Min, double Max) Trained => (Math.Max(Range.Min, _settings.Min), _settings.AboveShare > 0 ? Range.Max : _settings.Max);

    /// <summary>Smallest and largest level of the schedule.</summary>
    public (double Min, double Max) Range => (_schedule.Sigma(0), _schedule.Sigma(_schedule.Steps - 1));

    /// <summary>The level of one crop: mostly log-uniform where restoration lives, a part of it in the core, a tenth above.</summary>
    internal double Draw(ref Draws draws)
    {
        (double min, double max) = Range;
        double kind = draws.Uniform();
        double sigma =
            kind < _settings.AboveShare ? draws.LogUniform(_settings.Max, max)
            : kind < _settings.AboveShare + _settings.CoreShare ? draws.LogUniform(_settings.CoreMin, _settings.CoreMax)
            : draws.LogUniform(_settings.Min, _settings.Max);
        return Math.Clamp(sigma, min, max);
    }

    /// <summary>The bin of a level, 0..<see cref="Bins"/>-1.</summary>
    public int Bin(double sigma) => Math.Clamp((int)(Math.Log(sigma / Range.Min) / Math.Log(Range.Max / Range.Min) * Bins), 0, Bins - 1);
}

/// <summary>The distribution of training noise, sigma on [-1,1].</summary>
public sealed record NoiseLevelSettings
{
    /// <summary>Lower end of the restoration range.</summary>
    public double Min { get; init; } = 0.008;

    /// <summary>Upper end of the restoration range.</summary>
    public double Max { get; init; } = 1.5;

    /// <summary>Share of crops above <see cref="Max"/>.</summary>
    public double AboveShare { get; init; } = 0.1;

    /// <summary>Share of crops drawn from the core, where most evaluations of few-step solvers lie.</summary>
    public double CoreShare { get; init; } = 0.3;

    /// <summary>Lower end of the core.</summary>
    public double CoreMin { get; init; } = 0.06;

    /// <summary>Upper end of the core.</summary>
    public double CoreMax { get; init; } = 0.6;
}
