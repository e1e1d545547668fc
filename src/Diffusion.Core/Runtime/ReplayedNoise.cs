namespace Diffusion.Runtime;

/// <summary>Hands out recorded draws in order. A wrong role or shape, one draw too many, and draws left over are errors.</summary>
public sealed class ReplayedNoise : NoiseSource
{
    private readonly IReadOnlyList<(NoiseRole Role, Tensor Values)> _draws;
    private int _next;

    /// <summary>Replays <paramref name="draws"/> of any shapes [N,...]; the tensors stay the caller's.</summary>
    public ReplayedNoise(IReadOnlyList<(NoiseRole Role, Tensor Values)> draws) => _draws = draws;

    /// <inheritdoc/>
    public override Tensor Draw(NoiseRole role, params ReadOnlySpan<long> shape)
    {
        if (_next == _draws.Count)
            throw new InvalidOperationException($"Draw {_next} ({role}) was asked for, but only {_draws.Count} were recorded.");
        (NoiseRole recorded, Tensor values) = _draws[_next];
        if (recorded != role)
            throw new InvalidOperationException($"Draw {_next} is of role {recorded}, but {role} was asked for.");
        if (!shape.SequenceEqual(values.shape))
            throw new InvalidOperationException(
                $"Draw {_next} has shape [{string.Join(",", values.shape)}], but [{string.Join(",", shape.ToArray())}] was asked for."
            );
        _next++;
        return values.clone();
    }

    /// <summary>Throws unless every draw was used.</summary>
    public void AssertExhausted()
    {
        if (_next != _draws.Count)
            throw new InvalidOperationException($"{_draws.Count - _next} of {_draws.Count} recorded draws were not used.");
    }
}
