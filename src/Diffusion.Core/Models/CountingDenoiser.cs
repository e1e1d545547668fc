using Diffusion.Sampling;

namespace Diffusion.Models;

/// <summary>A denoiser that counts its evaluations. Where the inner one is an <see cref="IVpNetwork"/>, so is this one.</summary>
public class CountingDenoiser : IDenoiser
{
    private readonly IDenoiser _inner;
    private int _evaluations;

    private CountingDenoiser(IDenoiser inner) => _inner = inner;

    /// <summary>Counts what is asked of <paramref name="inner"/>, which stays the caller's.</summary>
    public static CountingDenoiser Around(IDenoiser inner) =>
        inner is IVpNetwork network ? new Vp(inner, network) : new CountingDenoiser(inner);

    /// <summary>Evaluations so far; a batch counts once.</summary>
    public int Evaluations => _evaluations;

    /// <inheritdoc/>
    public PriorInfo Info => _inner.Info;

    /// <inheritdoc/>
    public Tensor Denoise(Tensor x, double sigma, in Condition condition = default)
    {
        Count();
        return _inner.Denoise(x, sigma, condition);
    }

    /// <summary>Does nothing: the inner denoiser is borrowed.</summary>
    public void Dispose() => GC.SuppressFinalize(this);

    private void Count() => Interlocked.Increment(ref _evaluations);

    private sealed class Vp(IDenoiser inner, IVpNetwork network) : CountingDenoiser(inner), IVpNetwork
    {
        public NoiseSchedule Schedule => network.Schedule;

        public (Tensor Epsilon, Tensor? Variance) Predict(Tensor xt, int t, in Condition condition = default)
        {
            Count();
            return network.Predict(xt, t, condition);
        }
    }
}
