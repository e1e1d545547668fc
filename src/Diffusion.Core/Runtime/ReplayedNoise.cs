namespace Diffusion.Runtime;

/// <summary>Hands out recorded draws in order. A wrong role or shape, one draw too many, and draws left over are errors.</summary>
public sealed class ReplayedNoise : NoiseSource
{
    private readonly IReadOnlyList<(NoiseRole Role, Tensor Values)> _draws;
    private readonly List<ReplayedNoise> _parts = [];
    private readonly long[]? _pictures;
    private int _next;

    /// <summary>Replays <paramref name="draws"/> of any shapes [N,...]; the tensors stay the caller's.</summary>
    public ReplayedNoise(IReadOnlyList<(NoiseRole Role, Tensor Values)> draws) => _draws = draws;

    private ReplayedNoise(ReplayedNoise whole, IReadOnlyList<int> pictures)
    {
        (_draws, _next) = (whole._draws, whole._next);
        _pictures = [.. pictures.Select(picture => whole._pictures is { } of ? of[picture] : picture)];
    }

    /// <inheritdoc/>
    public override NoiseSource Select(IReadOnlyList<int> pictures)
    {
        ReplayedNoise part = new(this, pictures);
        _parts.Add(part);
        return part;
    }

    /// <inheritdoc/>
    public override Tensor Draw(NoiseRole role, params ReadOnlySpan<long> shape)
    {
        if (_next == _draws.Count)
            throw new InvalidOperationException($"Draw {_next} ({role}) was asked for, but only {_draws.Count} were recorded.");
        (NoiseRole recorded, Tensor values) = _draws[_next];
        if (recorded != role)
            throw new InvalidOperationException($"Draw {_next} is of role {recorded}, but {role} was asked for.");
        long[] recordedShape = _pictures is null ? values.shape : [_pictures.Length, .. values.shape[1..]];
        if (!shape.SequenceEqual(recordedShape))
            throw new InvalidOperationException(
                $"Draw {_next} has shape [{string.Join(",", recordedShape)}], but [{string.Join(",", shape.ToArray())}] was asked for."
            );
        _next++;
        if (_pictures is null)
            return values.clone();
        using Tensor index = torch.tensor(_pictures, device: values.device);
        return values.index_select(0, index);
    }

    /// <summary>Throws unless every draw was used, by each of its parts where there are some.</summary>
    public void AssertExhausted()
    {
        foreach (ReplayedNoise part in _parts)
            part.AssertExhausted();
        if (_parts.Count > 0)
            return;
        if (_next != _draws.Count)
            throw new InvalidOperationException($"{_draws.Count - _next} of {_draws.Count} recorded draws were not used.");
    }
}
