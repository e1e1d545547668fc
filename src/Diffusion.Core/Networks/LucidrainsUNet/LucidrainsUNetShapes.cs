using Diffusion.Checkpoints;

namespace Diffusion.Networks;

/// <summary>Derives the constructor arguments of <see cref="LucidrainsUNet"/> from names and shapes.</summary>
internal static class LucidrainsUNetShapes
{
    private const int UsualHeads = 4;

    /// <summary>What is shown; null when the names are those of another network.</summary>
    public static LucidrainsUNetConfig? Read(ShapeTable shapes)
    {
        int levels = shapes.Count("downs");
        if (
            levels == 0
            || shapes.Size("time_mlp.1.weight", 0) is not { } embedding
            || shapes.Size("init_conv.weight", 0) is not { } first
            || shapes.Size("init_conv.weight", 1) is not { } inputs
            || shapes.Size("final_conv.weight", 0) is not { } outputs
            || !shapes.Has("mid_block1.block1.proj.weight")
        )
            return null;
        int dim = embedding / 4;
        List<int> multiples = [];
        List<(int Heads, int Width, bool Full)> attention = [];
        for (int level = 0; level < levels; level++)
        {
            int? width = shapes.Size($"downs.{level}.3.1.weight", 0) ?? shapes.Size($"downs.{level}.3.weight", 0);
            if (dim == 0 || width is null || width % dim != 0 || AttentionOf(shapes, $"downs.{level}.2") is not { } own)
                return null;
            multiples.Add(width.Value / dim);
            attention.Add(own);
        }
        int channels = inputs == 2 * outputs ? outputs : inputs;
        LucidrainsUNetConfig config = new()
        {
            Version = LucidrainsVersion.Of(
                rootMeanSquareBlocks: shapes.Has("mid_block1.block1.norm.g"),
                memory: shapes.Has("mid_attn.mem_kv"),
                plainNames: shapes.Has("mid_attn.to_qkv.weight"),
                strided: shapes.Size("downs.0.3.weight", 2) == 4
            ),
            Dim = dim,
            InitDim = first == dim ? null : first,
            DimMults = multiples,
            Channels = channels,
            OutDim = outputs == channels ? null : outputs,
            SelfCondition = inputs == 2 * channels,
            Heads = [.. attention.Select(own => own.Heads)],
            HeadDim = [.. attention.Select(own => own.Width)],
            FullAttention = [.. attention.Select(own => own.Full)],
            FourierTime = shapes.Has("time_mlp.0.weights"),
        };
        return config with { Groups = new[] { 8, 4, 2, 1 }.First(groups => config.Widths.All(width => width % groups == 0)) };
    }

    /// <summary>Heads and their width, which learned tokens show; without them four heads are taken.</summary>
    private static (int Heads, int Width, bool Full)? AttentionOf(ShapeTable shapes, string name)
    {
        string own = shapes.Has($"{name}.to_qkv.weight") ? name : $"{name}.fn.fn";
        if (shapes.Size($"{own}.to_qkv.weight", 0) is not { } qkv)
            return null;
        bool full = shapes.Has($"{own}.to_out.weight");
        if (shapes.Size($"{own}.mem_kv", 1) is { } heads && shapes.Size($"{own}.mem_kv", full ? 3 : 2) is { } width)
            return (heads, width, full);
        int inner = qkv / 3;
        return inner % UsualHeads == 0 ? (UsualHeads, inner / UsualHeads, full) : (1, inner, full);
    }
}
