using Diffusion.Checkpoints;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>A network with published parameter names. Immutable once loaded; may be used by several threads.</summary>
public abstract class Network : IDisposable
{
    private readonly List<Parameter> _parameters = [];

    /// <summary>All parameters, in the published order.</summary>
    public IReadOnlyList<Parameter> Parameters => _parameters;

    /// <summary>Declares a parameter.</summary>
    protected internal Parameter Declare(string name, long[] shape, bool keepFloat32 = false)
    {
        Parameter parameter = new(name, shape, keepFloat32);
        _parameters.Add(parameter);
        return parameter;
    }

    /// <inheritdoc/>
    public virtual void Dispose()
    {
        foreach (Parameter parameter in _parameters) parameter.Dispose();
        GC.SuppressFinalize(this);
    }
}
