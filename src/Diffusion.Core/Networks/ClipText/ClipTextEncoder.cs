using Diffusion.Checkpoints;
using Diffusion.Networks.Layers;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>
/// The text encoder of CLIP (Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", 2021), with the
/// parameter names of Hugging Face's CLIPTextModel.
/// </summary>
/// <remarks>
/// Blocks x += attention(norm(x)); x += W2 act(W1 norm(x)), where tokens see those before them. What fills a text up to its fixed length is
/// not masked: to latent diffusion those are ordinary tokens.
/// </remarks>
public sealed class ClipTextEncoder : Network
{
    private readonly Embedding _tokens;
    private readonly Parameter _positions;
    private readonly Block[] _blocks;
    private readonly LayerNorm _norm;
    private readonly Linear? _projection;

    /// <summary>Declares all parameters; nothing is allocated before they are loaded or initialised.</summary>
    /// <exception cref="ArgumentException">The configuration is impossible.</exception>
    public ClipTextEncoder(ClipTextConfig config, ComputePolicy? policy = null)
        : base(policy)
    {
        config.Validate();
        Config = config;
        const string Text = "text_model";
        _tokens = new Embedding(this, $"{Text}.embeddings.token_embedding", config.VocabularySize, config.HiddenSize);
        _positions = Declare(
            $"{Text}.embeddings.position_embedding.weight",
            [config.Positions, config.HiddenSize],
            Init.Normal,
            keepFloat32: true
        );
        _blocks = [.. Enumerable.Range(0, config.Layers).Select(i => new Block(this, $"{Text}.encoder.layers.{i}", config))];
        _norm = new LayerNorm(this, $"{Text}.final_layer_norm", config.HiddenSize, config.NormEpsilon);
        _projection = config.ProjectionSize is { } size ? new Linear(this, "text_projection", config.HiddenSize, size, bias: false) : null;
    }

    /// <summary>The constructor arguments.</summary>
    public ClipTextConfig Config { get; }

    /// <summary>Encodes texts.</summary>
    /// <param name="ids">[N,T] int64 tokens, T at most <see cref="ClipTextConfig.Positions"/>; borrowed.</param>
    /// <param name="skipped">Blocks at the end that are left out; Stable Diffusion 2.x leaves out one of 24.</param>
    /// <param name="trace">Told <c>layer.0</c>, <c>layer.1</c>, ...; costs nothing when null.</param>
    /// <returns>[N,T,hidden_size] float32, normalised; the caller owns it.</returns>
    /// <exception cref="ArgumentException">The shape does not fit, or there are not so many blocks.</exception>
    public Tensor Encode(Tensor ids, int skipped = 0, ModuleTrace? trace = null)
    {
        if (ids.dim() != 2 || ids.shape[1] < 1 || ids.shape[1] > Config.Positions)
            throw new ArgumentException(
                $"The encoder takes [N,T] tokens, T at most {Config.Positions}, not [{string.Join(",", ids.shape)}]."
            );
        if (skipped < 0 || skipped >= _blocks.Length)
            throw new ArgumentException($"{skipped} of {_blocks.Length} blocks cannot be left out.");
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor rows = _tokens.Forward(ids.flatten()).view(ids.shape[0], ids.shape[1], Config.HiddenSize);
        Tensor x = (rows + _positions.Value.narrow(0, 0, ids.shape[1])).to(Policy.NetworkDtype);
        for (int i = 0; i < _blocks.Length - skipped; i++)
        {
            using Tensor before = x;
            x = _blocks[i].Forward(before);
            trace?.Invoke($"layer.{i}", x);
        }
        return _norm.Forward(x.to(ScalarType.Float32)).MoveToOuterDisposeScope();
    }

    /// <summary>What texts become as a whole: the token at the first end, projected.</summary>
    /// <param name="encoded">[N,T,hidden_size] of <see cref="Encode"/>, borrowed.</param>
    /// <param name="ids">[N,T], borrowed.</param>
    /// <param name="end">The token that ends a text.</param>
    /// <returns>[N,projection_dim] float32; the caller owns it.</returns>
    /// <exception cref="InvalidOperationException">The weights have no such projection.</exception>
    public Tensor Project(Tensor encoded, Tensor ids, long end)
    {
        if (_projection is null)
            throw new InvalidOperationException("These weights have no projection of texts.");
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor first = ids.eq(end).to(ScalarType.Int32).argmax(1),
            rows = encoded[torch.arange(encoded.shape[0], device: encoded.device), first];
        return _projection.Forward(rows).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    private sealed class Block(ClipTextEncoder network, string name, ClipTextConfig config)
    {
        private const double Steepness = 1.702;
        private readonly Attention _attention = new(
            network,
            AttentionNames.Clip($"{name}.self_attn"),
            config.HiddenSize,
            config.Heads,
            bias: true,
            causal: true
        );
        private readonly LayerNorm _norm1 = new(network, $"{name}.layer_norm1", config.HiddenSize, config.NormEpsilon),
            _norm2 = new(network, $"{name}.layer_norm2", config.HiddenSize, config.NormEpsilon);
        private readonly Linear _in = new(network, $"{name}.mlp.fc1", config.HiddenSize, config.IntermediateSize),
            _out = new(network, $"{name}.mlp.fc2", config.IntermediateSize, config.HiddenSize);

        public Tensor Forward(Tensor x)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            Tensor seen = x + _attention.Forward(_norm1.Forward(x)),
                wide = _in.Forward(_norm2.Forward(seen));
            wide = config.Activation == ClipTextConfig.Gelu ? torch.nn.functional.gelu(wide) : wide * (Steepness * wide).sigmoid();
            return (seen + _out.Forward(wide)).MoveToOuterDisposeScope();
        }
    }
}
