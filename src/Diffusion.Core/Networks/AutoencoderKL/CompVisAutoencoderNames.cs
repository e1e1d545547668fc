using System.Text.RegularExpressions;

namespace Diffusion.Networks;

/// <summary>The autoencoder's names in the files of CompVis and Stability AI, and in diffusers before 0.18.</summary>
/// <remarks>In CompVis' decoder <c>up.0</c> is the finest level, in diffusers' <c>up_blocks.0</c> the coarsest.</remarks>
internal static partial class CompVisAutoencoderNames
{
    private static readonly (string Other, string Diffusers)[] Parts =
    [
        (".mid.block_1.", ".mid_block.resnets.0."),
        (".mid.block_2.", ".mid_block.resnets.1."),
        (".mid.attn_1.norm.", ".mid_block.attentions.0.group_norm."),
        (".mid.attn_1.q.", ".mid_block.attentions.0.to_q."),
        (".mid.attn_1.k.", ".mid_block.attentions.0.to_k."),
        (".mid.attn_1.v.", ".mid_block.attentions.0.to_v."),
        (".mid.attn_1.proj_out.", ".mid_block.attentions.0.to_out.0."),
        (".attentions.0.query.", ".attentions.0.to_q."),
        (".attentions.0.key.", ".attentions.0.to_k."),
        (".attentions.0.value.", ".attentions.0.to_v."),
        (".attentions.0.proj_attn.", ".attentions.0.to_out.0."),
        (".norm_out.", ".conv_norm_out."),
        (".nin_shortcut.", ".conv_shortcut."),
        (".downsample.", ".downsamplers.0."),
        (".upsample.", ".upsamplers.0."),
    ];

    /// <summary>Whether there are such names.</summary>
    public static bool Are(IReadOnlyCollection<string> names) =>
        names.Contains("encoder.mid.attn_1.q.weight") || names.Contains("encoder.mid_block.attentions.0.query.weight");

    /// <summary>The diffusers' name of each.</summary>
    public static Dictionary<string, string> ToDiffusers(IReadOnlyCollection<string> names)
    {
        int levels = 0;
        while (names.Any(name => name.StartsWith($"decoder.up.{levels}.", StringComparison.Ordinal)))
            levels++;
        return names.ToDictionary(name => name, name => Renamed(name, levels));
    }

    private static string Renamed(string name, int levels)
    {
        foreach ((string other, string diffusers) in Parts)
            name = name.Replace(other, diffusers, StringComparison.Ordinal);
        name = EncoderLevel().Replace(name, "encoder.down_blocks.$1.");
        name = DecoderLevel().Replace(name, match => $"decoder.up_blocks.{levels - 1 - int.Parse(match.Groups[1].ValueSpan)}.");
        return Block().Replace(name, ".resnets.$1.");
    }

    [GeneratedRegex(@"^encoder\.down\.(\d{1,3})\.")]
    private static partial Regex EncoderLevel();

    [GeneratedRegex(@"^decoder\.up\.(\d{1,3})\.")]
    private static partial Regex DecoderLevel();

    [GeneratedRegex(@"\.block\.(\d{1,3})\.")]
    private static partial Regex Block();
}
