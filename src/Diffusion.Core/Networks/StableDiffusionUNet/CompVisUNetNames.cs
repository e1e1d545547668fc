using System.Globalization;

namespace Diffusion.Networks;

/// <summary>The UNet's names in the files of CompVis and Stability AI, which number blocks through all levels.</summary>
/// <remarks>
/// <c>input_blocks.0.0</c> is <c>conv_in</c>; then follow, level by level, the residual blocks (<c>.0</c>) with their transformers
/// (<c>.1</c>), and the halving (<c>.0.op</c>) that ends a level. <c>output_blocks</c> likewise, where a level ends with the block whose
/// last part is a convolution.
/// </remarks>
internal static class CompVisUNetNames
{
    private static readonly (string CompVis, string Diffusers)[] Parts =
    [
        ("in_layers.0.", "norm1."),
        ("in_layers.2.", "conv1."),
        ("emb_layers.1.", "time_emb_proj."),
        ("out_layers.0.", "norm2."),
        ("out_layers.3.", "conv2."),
        ("skip_connection.", "conv_shortcut."),
    ];

    private static readonly (string CompVis, string Diffusers)[] Ends =
    [
        ("time_embed.0.", "time_embedding.linear_1."),
        ("time_embed.2.", "time_embedding.linear_2."),
        ("input_blocks.0.0.", "conv_in."),
        ("middle_block.1.", "mid_block.attentions.0."),
        ("out.0.", "conv_norm_out."),
        ("out.2.", "conv_out."),
    ];

    /// <summary>Whether these are such names.</summary>
    public static bool Are(IReadOnlyCollection<string> names) => names.Contains("input_blocks.0.0.weight");

    /// <summary>The diffusers' name of each; those that are no part of a UNet are left out.</summary>
    public static Dictionary<string, string> ToDiffusers(IReadOnlyCollection<string> names)
    {
        Dictionary<(string, int), (int Level, int Block)> places = [];
        int level = 0,
            block = 0;
        for (int i = 1; Has($"input_blocks.{i}.0."); i++)
        {
            places[("input_blocks", i)] = (level, block++);
            if (names.Contains($"input_blocks.{i}.0.op.weight"))
                (level, block) = (level + 1, 0);
        }
        (level, block) = (0, 0);
        for (int i = 0; Has($"output_blocks.{i}.0."); i++)
        {
            places[("output_blocks", i)] = (level, block++);
            if (Enumerable.Range(1, 2).Any(part => names.Contains($"output_blocks.{i}.{part}.conv.weight")))
                (level, block) = (level + 1, 0);
        }
        return names
            .Select(name => (name, Renamed(name, places)))
            .Where(pair => pair.Item2 is not null)
            .ToDictionary(pair => pair.name, pair => pair.Item2!);

        bool Has(string beginning) => names.Any(name => name.StartsWith(beginning, StringComparison.Ordinal));
    }

    private static string? Renamed(string name, Dictionary<(string, int), (int Level, int Block)> places)
    {
        foreach ((string compVis, string diffusers) in Ends)
            if (name.StartsWith(compVis, StringComparison.Ordinal))
                return diffusers + name[compVis.Length..];
        if (name.StartsWith("middle_block.", StringComparison.Ordinal))
            return Residual($"mid_block.resnets.{(name["middle_block.".Length] == '0' ? 0 : 1)}.", name["middle_block.0.".Length..]);
        string[] parts = name.Split('.', 4);
        if (
            parts.Length < 4
            || !int.TryParse(parts[1], CultureInfo.InvariantCulture, out int index)
            || !places.TryGetValue((parts[0], index), out (int Level, int Block) place)
        )
            return null;
        string blocks = (parts[0] == "input_blocks" ? "down_blocks." : "up_blocks.") + place.Level;
        string rest = parts[3];
        return rest.StartsWith("op.", StringComparison.Ordinal) ? $"{blocks}.downsamplers.0.conv.{rest["op.".Length..]}"
            : rest.StartsWith("conv.", StringComparison.Ordinal) ? $"{blocks}.upsamplers.0.{rest}"
            : parts[2] == "0" ? Residual($"{blocks}.resnets.{place.Block}.", rest)
            : $"{blocks}.attentions.{place.Block}.{rest}";
    }

    private static string? Residual(string block, string rest)
    {
        foreach ((string compVis, string diffusers) in Parts)
            if (rest.StartsWith(compVis, StringComparison.Ordinal))
                return block + diffusers + rest[compVis.Length..];
        return null;
    }
}
