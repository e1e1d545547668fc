using Diffusion.Checkpoints;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>A network with published parameter names. Immutable once loaded; may be used by several threads.</summary>
/// <remarks>
/// Layers compute in the dtype of their weights and read <see cref="Parameter.Value"/> at every evaluation: a trainer may assign views of
/// its own storage before each step, and two networks may share storage.
/// Everything is differentiable when gradients are on; fused paths that are not switch themselves off then.
/// </remarks>
public abstract class Network : IDisposable
{
    private readonly List<Parameter> _parameters = [];
    private readonly List<Init> _inits = [];

    /// <summary>A network that computes as <paramref name="policy"/> says; float32 without fused paths when null.</summary>
    protected Network(ComputePolicy? policy) => Policy = policy ?? ComputePolicy.Reference;

    /// <summary>How it computes.</summary>
    public ComputePolicy Policy { get; }

    /// <summary>All parameters, in the published order.</summary>
    public IReadOnlyList<Parameter> Parameters => _parameters;

    /// <summary>Heights and widths must be multiples of this.</summary>
    public virtual int SizeMultiple => 1;

    /// <summary>Side in pixels of the window that an output pixel depends on; null: the whole picture.</summary>
    public virtual int? ReceptiveField => null;

    /// <summary>
    /// How many values per pixel of the picture are alive at once while it computes, at most. What a network does not say is taken to be
    /// that of a UNet of 64 channels.
    /// </summary>
    public virtual double ValuesPerPixel => 7 * 64;

    /// <summary>Bytes of the weights in the dtypes that they are kept in.</summary>
    public long WeightBytes =>
        _parameters.Sum(parameter => parameter.Shape.Aggregate(DtypeOf(parameter) == ScalarType.Float32 ? 4L : 2, (a, b) => a * b));

    /// <summary>Whether fused kernels may run now: the policy allows them and nobody wants gradients.</summary>
    internal bool MayFuse => Policy.Fused && !torch.is_grad_enabled();

    /// <summary>Whether fused kernels that are differentiable may run now: the policy allows them and somebody wants gradients.</summary>
    internal bool MayFuseForTraining => Policy.Fused && torch.is_grad_enabled();

    /// <summary>Declares a parameter.</summary>
    /// <param name="name">Published name.</param>
    /// <param name="shape">Published shape.</param>
    /// <param name="init">What <see cref="Initialize"/> fills it with.</param>
    /// <param name="keepFloat32">Stays float32 whatever dtype the network computes in.</param>
    protected internal Parameter Declare(string name, long[] shape, Init init = default, bool keepFloat32 = false)
    {
        Parameter parameter = new(name, shape, keepFloat32);
        _parameters.Add(parameter);
        _inits.Add(init);
        return parameter;
    }

    /// <summary>
    /// Fills every parameter as the published code does before training: PyTorch's default ranges, zero where the architecture asks for it.
    /// </summary>
    /// <param name="seed">Each parameter's numbers depend on this and on its name only.</param>
    public void Initialize(ulong seed)
    {
        using ComputeScope scope = new();
        for (int i = 0; i < _parameters.Count; i++)
            _parameters[i].Value = _inits[i].Draw(_parameters[i], seed).to(DtypeOf(_parameters[i])).to(Policy.Device);
    }

    /// <summary>The dtype that a parameter is kept in under <see cref="Policy"/>.</summary>
    public ScalarType DtypeOf(Parameter parameter) => parameter.KeepFloat32 ? ScalarType.Float32 : Policy.NetworkDtype;

    /// <summary>
    /// Lays convolution weights out as the kernels read them (channels last). Called once after loading; values do not change.
    /// </summary>
    public void Arrange()
    {
        using ComputeScope scope = new();
        foreach (Parameter parameter in _parameters)
            if (parameter.Shape.Length == 4)
                parameter.Value = ChannelsLast.Of(parameter.Value);
    }

    /// <inheritdoc/>
    public virtual void Dispose()
    {
        foreach (Parameter parameter in _parameters)
            parameter.Dispose();
        GC.SuppressFinalize(this);
    }
}
