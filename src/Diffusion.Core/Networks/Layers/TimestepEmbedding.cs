using Diffusion.Runtime;

namespace Diffusion.Networks.Layers;

/// <summary>
/// Waves of a diffusion time: [cos(t f_i), sin(t f_i)] with f_i = exp(-ln(period) i / (h - shift)), i = 0..h-1, h = width/2; a zero is
/// appended where the width is odd.
/// </summary>
/// <param name="Width">Values for each time.</param>
/// <param name="SineFirst">Sines come before cosines.</param>
/// <param name="Shift">Subtracted from h.</param>
/// <param name="Period">Of the slowest wave, over 2 pi.</param>
public sealed record Sinusoid(long Width, bool SineFirst = false, double Shift = 0, double Period = 10000)
{
    /// <summary>[N] times, integer or not, to [N,width] float32; the caller owns it.</summary>
    public Tensor Of(Tensor t)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        long half = Width / 2;
        Tensor steps = torch.arange(half, dtype: ScalarType.Float32, device: t.device);
        Tensor angles = t.to(ScalarType.Float32).unsqueeze(1) * (steps * -Math.Log(Period) / (half - Shift)).exp();
        Tensor[] waves = SineFirst ? [angles.sin(), angles.cos()] : [angles.cos(), angles.sin()];
        Tensor result = torch.cat(waves, dim: 1);
        if (Width % 2 == 1)
            result = torch.nn.functional.pad(result, [0L, 1L]);
        return result.MoveToOuterDisposeScope();
    }
}

/// <summary>
/// The waves of the diffusion time and the two-layer network behind them. Always float32. Returned tensors belong to the caller.
/// </summary>
public sealed class TimestepEmbedding
{
    private readonly Sinusoid _waves;
    private readonly Func<Tensor, Tensor> _activation;
    private readonly Linear _first,
        _second;

    /// <summary>Declares the two layers, [outputs,width] and [outputs,outputs].</summary>
    /// <param name="network">Where to declare them.</param>
    /// <param name="first">Published name of the first layer.</param>
    /// <param name="second">Published name of the second layer.</param>
    /// <param name="waves">The waves.</param>
    /// <param name="outputs">Width of the embedding.</param>
    /// <param name="activation">Between the layers, [N,outputs] to the same; null: SiLU.</param>
    public TimestepEmbedding(
        Network network,
        string first,
        string second,
        Sinusoid waves,
        long outputs,
        Func<Tensor, Tensor>? activation = null
    )
    {
        (_waves, _activation) = (waves, activation ?? (h => torch.nn.functional.silu(h)));
        _first = new Linear(network, first, waves.Width, outputs, keepFloat32: true);
        _second = new Linear(network, second, outputs, outputs, keepFloat32: true);
    }

    /// <summary>[N] float32 times, integer or not, to [N,outputs].</summary>
    public Tensor Forward(Tensor t)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return _second.Forward(_activation(_first.Forward(_waves.Of(t)))).MoveToOuterDisposeScope();
    }
}
