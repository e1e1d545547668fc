namespace Diffusion.Synthesis;

/// <summary>
/// How far a degraded picture is from its clean one: mean and standard deviation of |degraded - clean| over all values on [0,1].
/// </summary>
/// <param name="Mu">The mean.</param>
/// <param name="Sigma">The standard deviation (of the whole, not of a sample).</param>
public readonly record struct Intensity(double Mu, double Sigma)
{
    /// <summary>Measures a pair.</summary>
    /// <param name="degraded">[1,C,H,W] on [0,1]; borrowed.</param>
    /// <param name="clean">The same shape; borrowed.</param>
    public static Intensity Between(Tensor degraded, Tensor clean)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor distance = (degraded - clean).abs().to(ScalarType.Float64);
        double mu = distance.mean().item<double>(),
            squares = (distance * distance).mean().item<double>();
        return new(mu, Math.Sqrt(Math.Max(0, squares - mu * mu)));
    }
}
