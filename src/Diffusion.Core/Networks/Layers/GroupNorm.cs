using Diffusion.Checkpoints;
using Diffusion.Networks.Kernels;

namespace Diffusion.Networks.Layers;

/// <summary>
/// Group normalisation (Wu and He 2018), with what follows it in a UNet: y = act(norm(x) * (1 + scale) + shift). Statistics and arithmetic
/// are float32.
/// </summary>
public sealed class GroupNorm : INormalization
{
    private readonly Network _network;
    private readonly Parameter _weight,
        _bias;
    private readonly long _groups;
    private readonly double _epsilon;

    /// <summary>Declares <c>NAME.weight</c> and <c>NAME.bias</c>, both [channels].</summary>
    /// <exception cref="ArgumentException">The number of groups does not divide the channels.</exception>
    public GroupNorm(Network network, string name, long channels, long groups = 32, double epsilon = 1e-5)
    {
        if (channels % groups != 0)
            throw new ArgumentException(
                $"{name} would normalise {channels} channels in {groups} groups. Widths must be multiples of {groups}."
            );
        (_network, _groups, _epsilon) = (network, groups, epsilon);
        _weight = network.Declare($"{name}.weight", [channels], Init.Ones, keepFloat32: true);
        _bias = network.Declare($"{name}.bias", [channels], Init.Zeros, keepFloat32: true);
    }

    /// <summary>Normalises [N,C,H,W].</summary>
    /// <param name="x">Features, borrowed.</param>
    /// <param name="modulation">Scale and shift, [N or 1,C] each, or null.</param>
    /// <param name="silu">Whether y * sigmoid(y) follows.</param>
    /// <param name="dtype">Dtype of the result; null keeps that of <paramref name="x"/>.</param>
    /// <param name="reuse">Nobody needs <paramref name="x"/> any more: its memory may take the result.</param>
    /// <returns>[N,C,H,W]; the caller owns it.</returns>
    public Tensor Forward(
        Tensor x,
        (Tensor Scale, Tensor Shift)? modulation = null,
        bool silu = false,
        ScalarType? dtype = null,
        bool reuse = false
    )
    {
        if (_network.MayFuse && FusedGroupNorm.Applies(x))
            return FusedGroupNorm.Forward(x, _groups, _epsilon, _weight.Value, _bias.Value, modulation, silu, dtype ?? x.dtype, reuse);
        using DisposeScope scope = torch.NewDisposeScope();
        if (_network.MayFuseForTraining && silu && NormSilu.Applies(x))
            return Trainable(x.to(dtype ?? x.dtype), modulation).MoveToOuterDisposeScope();
        Tensor y = torch.nn.functional.group_norm(Centered(x.to(ScalarType.Float32)), _groups, _weight.Value, _bias.Value, _epsilon);
        if (modulation is var (scale, shift))
            y = y * (1 + PerChannel(scale)) + PerChannel(shift);
        if (silu)
            y = torch.nn.functional.silu(y);
        return y.to(dtype ?? x.dtype).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor Activate(Tensor x, (Tensor Scale, Tensor Shift)? modulation = null, ScalarType? dtype = null, bool reuse = false) =>
        Forward(x, modulation, silu: true, dtype, reuse);

    private Tensor Trainable(Tensor x, (Tensor Scale, Tensor Shift)? modulation)
    {
        Tensor a = _weight.Value.unsqueeze(0),
            b = _bias.Value.unsqueeze(0);
        if (modulation is var (scale, shift))
            (a, b) = (a * (1 + scale), b * (1 + scale) + shift);
        return NormSilu.Apply(x, a.expand(x.shape[0], -1), b.expand(x.shape[0], -1), _groups, _epsilon);
    }

    /// <summary>
    /// <paramref name="x"/> less the mean of each group, which changes neither the norm nor its gradient. In channels-last memory
    /// libtorch's group_norm (2.10) takes the variance as mean square minus squared mean: where the mean was 10 standard deviations it
    /// was wrong by 4e-4, at 100 by 5e-2 (contiguous memory: 1e-6).
    /// </summary>
    private Tensor Centered(Tensor x)
    {
        if (x.is_contiguous())
            return x;
        Tensor mean;
        using (torch.no_grad())
            mean = Grouped(x.detach()).mean([2L, 3, 4], keepdim: true);
        return (Grouped(x) - mean).flatten(1, 2);
    }

    private Tensor Grouped(Tensor x) => x.unflatten(1, [_groups, x.shape[1] / _groups]);

    private static Tensor PerChannel(Tensor values) => values.unsqueeze(-1).unsqueeze(-1);
}
