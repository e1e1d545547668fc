namespace Diffusion.Networks;

/// <summary>Constructor arguments of <see cref="ClipTextEncoder"/>, named as in Hugging Face's <c>text_encoder/config.json</c>.</summary>
public sealed record ClipTextConfig
{
    /// <summary>OpenAI's activation, x sigmoid(1.702 x).</summary>
    public const string QuickGelu = "quick_gelu";

    /// <summary>The exact GELU, of OpenCLIP's models.</summary>
    public const string Gelu = "gelu";

    /// <summary>Width of the tokens.</summary>
    public int HiddenSize { get; init; } = 512;

    /// <summary>Width between the two layers behind an attention.</summary>
    public int IntermediateSize { get; init; } = 2048;

    /// <summary>Heads of each attention.</summary>
    public int Heads { get; init; } = 8;

    /// <summary>Number of blocks.</summary>
    public int Layers { get; init; } = 12;

    /// <summary>Rows of the table of tokens.</summary>
    public int VocabularySize { get; init; } = 49408;

    /// <summary>Tokens of a text.</summary>
    public int Positions { get; init; } = 77;

    /// <summary><see cref="QuickGelu"/> or <see cref="Gelu"/>.</summary>
    public string Activation { get; init; } = QuickGelu;

    /// <summary>Epsilon of the norms.</summary>
    public double NormEpsilon { get; init; } = 1e-5;

    /// <summary>Width of what a whole text becomes; null where the file has no such projection.</summary>
    public int? ProjectionSize { get; init; }

    /// <summary>The published constructor arguments.</summary>
    public static ConfigKeys<ClipTextConfig> Keys { get; } =
        new("CLIP text encoder", new ClipTextConfig(), config => config.Validate())
        {
            { "hidden_size", c => c.HiddenSize, (c, value) => c with { HiddenSize = value }, Key.Required | Key.Shown },
            { "intermediate_size", c => c.IntermediateSize, (c, value) => c with { IntermediateSize = value }, Key.Required | Key.Shown },
            { "num_attention_heads", c => c.Heads, (c, value) => c with { Heads = value } },
            { "num_hidden_layers", c => c.Layers, (c, value) => c with { Layers = value }, Key.Required | Key.Shown },
            { "vocab_size", c => c.VocabularySize, (c, value) => c with { VocabularySize = value }, Key.Shown },
            { "max_position_embeddings", c => c.Positions, (c, value) => c with { Positions = value }, Key.Shown },
            { "hidden_act", c => c.Activation, (c, value) => c with { Activation = value } },
            { "layer_norm_eps", c => c.NormEpsilon, (c, value) => c with { NormEpsilon = value } },
            { "projection_dim", c => c.ProjectionSize, (c, value) => c with { ProjectionSize = value }, Key.Shown },
        };

    /// <summary>Checks that a network can be built.</summary>
    /// <exception cref="ArgumentException">It cannot.</exception>
    public void Validate()
    {
        if (HiddenSize is < 1 or > 16384 || IntermediateSize is < 1 or > 65536 || ProjectionSize is < 1 or > 16384)
            throw new ArgumentException("hidden_size, intermediate_size and projection_dim must be positive and no larger than 65536.");
        if (Layers is < 1 or > 256 || VocabularySize is < 1 or > 1_000_000 || Positions is < 1 or > 65536)
            throw new ArgumentException("num_hidden_layers, vocab_size and max_position_embeddings must be positive.");
        if (Heads < 1 || HiddenSize % Heads != 0)
            throw new ArgumentException($"num_attention_heads is {Heads}. It must divide hidden_size, {HiddenSize}.");
        if (Activation is not (QuickGelu or Gelu))
            throw new ArgumentException($"hidden_act is {Activation}, but only {QuickGelu} and {Gelu} are supported.");
    }
}
