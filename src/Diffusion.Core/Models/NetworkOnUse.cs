using Diffusion.Networks;

namespace Diffusion.Models;

/// <summary>A network that is loaded when it is first used, and kept, or freed again after each use where memory is short.</summary>
/// <param name="load">Loads it.</param>
public sealed class NetworkOnUse<TNetwork>(Func<TNetwork> load) : IDisposable
    where TNetwork : Network
{
    private TNetwork? _network;

    /// <summary>Uses the network.</summary>
    /// <param name="use">What is computed with it; the result is the caller's.</param>
    /// <param name="freed">Whether the network is freed after this use.</param>
    public T Use<T>(Func<TNetwork, T> use, bool freed = false)
    {
        _network ??= load();
        T result = use(_network);
        if (freed)
            Dispose();
        return result;
    }

    /// <summary>Frees the network; it is loaded again when it is used again.</summary>
    public void Dispose()
    {
        _network?.Dispose();
        _network = null;
    }
}
