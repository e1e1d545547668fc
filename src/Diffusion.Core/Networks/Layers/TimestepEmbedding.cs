using Diffusion.Runtime;

namespace Diffusion.Networks.Layers;

/// <summary>
/// The sinusoid of the diffusion time and the two-layer network behind it (<c>time_embed.0</c>, <c>time_embed.2</c>, or
/// <c>time_embedding.linear_1</c>, <c>time_embedding.linear_2</c>). Always float32. Returned tensors belong to the caller.
/// </summary>
/// <remarks>
/// The sinusoid is [cos(t f_i), sin(t f_i)] with f_i = exp(-ln(10000) i / h), i = 0..h-1, h = width/2; a zero is appended where the width
/// is odd.
/// </remarks>
public sealed class TimestepEmbedding
{
    private const double MaxPeriod = 10000;
    private readonly long _width;
    private readonly Linear _first,
        _second;

    /// <summary>Declares the two layers.</summary>
    /// <param name="network">Where to declare them.</param>
    /// <param name="name">Published name of both.</param>
    /// <param name="width">Width of the sinusoid.</param>
    /// <param name="outputs">Width of the embedding.</param>
    /// <param name="first">Published name of the first layer below <paramref name="name"/>.</param>
    /// <param name="second">Published name of the second one.</param>
    public TimestepEmbedding(Network network, string name, long width, long outputs, string first = "0", string second = "2")
    {
        _width = width;
        _first = new Linear(network, $"{name}.{first}", width, outputs, keepFloat32: true);
        _second = new Linear(network, $"{name}.{second}", outputs, outputs, keepFloat32: true);
    }

    /// <summary>[N] float32 times, integer or not, to [N,outputs].</summary>
    public Tensor Forward(Tensor t)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor h = torch.nn.functional.silu(_first.Forward(Sinusoid(t, _width)));
        return _second.Forward(h).MoveToOuterDisposeScope();
    }

    /// <summary>[N] times to [N,width].</summary>
    public static Tensor Sinusoid(Tensor t, long width)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        long half = width / 2;
        Tensor frequencies = (torch.arange(half, dtype: ScalarType.Float32, device: t.device) * (-Math.Log(MaxPeriod)) / half).exp();
        Tensor angles = t.to(ScalarType.Float32).unsqueeze(1) * frequencies;
        Tensor result = torch.cat([angles.cos(), angles.sin()], dim: 1);
        if (width % 2 == 1)
            result = torch.nn.functional.pad(result, [0L, 1L]);
        return result.MoveToOuterDisposeScope();
    }
}
