using Diffusion.Checkpoints;

namespace Diffusion.Networks;

/// <summary>The names of OpenAI's CLIP and of OpenCLIP, which keep queries, keys and values in one table.</summary>
internal static class OpenClipNames
{
    private const string Blocks = "transformer.resblocks.",
        InProjection = "attn.in_proj_";

    private static readonly string[] Projections = ["q_proj", "k_proj", "v_proj"];

    private static readonly (string Open, string HuggingFace)[] Parts =
    [
        ("attn.out_proj.", "self_attn.out_proj."),
        ("ln_1.", "layer_norm1."),
        ("ln_2.", "layer_norm2."),
        ("mlp.c_fc.", "mlp.fc1."),
        ("mlp.c_proj.", "mlp.fc2."),
    ];

    private static readonly (string Open, string HuggingFace)[] Ends =
    [
        ("token_embedding.weight", "text_model.embeddings.token_embedding.weight"),
        ("positional_embedding", "text_model.embeddings.position_embedding.weight"),
        ("ln_final.weight", "text_model.final_layer_norm.weight"),
        ("ln_final.bias", "text_model.final_layer_norm.bias"),
    ];

    /// <summary>The encoder's weights under Hugging Face's names; what is none of its (the logit scale, a mask) is left out.</summary>
    /// <param name="weights">Borrowed, and must outlive the result.</param>
    public static ICheckpoint Renamed(ICheckpoint weights)
    {
        Dictionary<string, TensorEntry> renamed = [];
        foreach ((string name, TensorEntry entry) in weights.Tensors)
        {
            if (Ends.FirstOrDefault(end => end.Open == name).HuggingFace is { } end)
                renamed[end] = entry;
            else if (name == "text_projection")
                renamed["text_projection.weight"] = new Transposed(entry);
            else if (name.StartsWith(Blocks, StringComparison.Ordinal))
                AddBlock(renamed, name[Blocks.Length..], entry);
        }
        return new TensorTable(weights, renamed);
    }

    private static void AddBlock(Dictionary<string, TensorEntry> renamed, string name, TensorEntry entry)
    {
        int dot = name.IndexOf('.');
        (string layer, string part) = (name[..dot], name[(dot + 1)..]);
        string block = $"text_model.encoder.layers.{layer}.";
        if (part.StartsWith(InProjection, StringComparison.Ordinal) && entry.Shape[0] % Projections.Length == 0)
            for (int i = 0; i < Projections.Length; i++)
                renamed[$"{block}self_attn.{Projections[i]}.{part[InProjection.Length..]}"] = new Third(entry, i);
        else
            foreach ((string open, string huggingFace) in Parts)
                if (part.StartsWith(open, StringComparison.Ordinal))
                    renamed[block + huggingFace + part[open.Length..]] = entry;
    }

    /// <summary>One of three equal parts of the rows.</summary>
    private sealed class Third(TensorEntry whole, int part) : TensorEntry
    {
        private long Rows => whole.Shape[0] / Projections.Length;

        public override string Name => whole.Name;
        public override ScalarType Dtype => whole.Dtype;
        public override IReadOnlyList<long> Shape => [Rows, .. whole.Shape.Skip(1)];

        public override Tensor Read(ScalarType? dtype = null)
        {
            using Tensor all = whole.Read(dtype);
            using Tensor rows = all.narrow(0, part * Rows, Rows);
            return rows.clone();
        }
    }

    private sealed class Transposed(TensorEntry matrix) : TensorEntry
    {
        public override string Name => matrix.Name;
        public override ScalarType Dtype => matrix.Dtype;
        public override IReadOnlyList<long> Shape => [.. matrix.Shape.Reverse()];

        public override Tensor Read(ScalarType? dtype = null)
        {
            using Tensor stored = matrix.Read(dtype);
            using Tensor turned = stored.transpose(0, 1);
            return turned.contiguous();
        }
    }
}
