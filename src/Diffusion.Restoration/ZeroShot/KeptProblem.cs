namespace Diffusion.ZeroShot;

/// <summary>The operator of the last pictures: the next ones are mostly of the same kind.</summary>
internal sealed class KeptProblem : IDisposable
{
    private (string Kind, BoundProblem Problem)? _kept;

    /// <summary>The operator of a kind, bound where the last one was of another kind. It lasts until another one is asked for.</summary>
    public BoundProblem Of(string kind, Func<BoundProblem> bind)
    {
        if (_kept is { } kept && kept.Kind == kind)
            return kept.Problem;
        Dispose();
        _kept = (kind, bind());
        return _kept.Value.Problem;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _kept?.Problem.Dispose();
        _kept = null;
    }
}
