using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Evaluation;

/// <summary>The priors of a benchmark, each found and loaded once, when it is first needed.</summary>
/// <param name="policy">How they compute.</param>
/// <param name="networks">The families of their networks; null: those that ship.</param>
public sealed class BenchPriors(ComputePolicy policy, NetworkCatalog? networks = null) : IDisposable
{
    private readonly Dictionary<string, IDenoiser> _loaded = [];
    private readonly Dictionary<string, string> _known = [];
    private readonly FileHashes _hashes = new();

    /// <summary>Adds one that is there already; owned from now on.</summary>
    /// <param name="name">What plans call it.</param>
    /// <param name="sha">What tells it from others of the same name.</param>
    /// <param name="prior">The prior.</param>
    public BenchPriors Add(string name, string sha, IDenoiser prior)
    {
        _loaded.Add(name, prior);
        _known.Add(name, sha);
        return this;
    }

    /// <summary>The beginning of the SHA-256 of a prior's weights; loads nothing.</summary>
    /// <exception cref="CheckpointException">There is no such prior.</exception>
    public string Sha(string name) => _known.TryGetValue(name, out string? sha) ? sha : _hashes.Short(PriorFiles.Find(name).Weights);

    /// <summary>The prior, loaded.</summary>
    /// <exception cref="CheckpointException">There is no such prior, or it does not load.</exception>
    public IDenoiser Load(string name)
    {
        if (!_loaded.TryGetValue(name, out IDenoiser? prior))
            _loaded.Add(name, prior = PriorLoader.Load(name, policy, networks));
        return prior;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (IDenoiser prior in _loaded.Values)
            prior.Dispose();
    }
}
