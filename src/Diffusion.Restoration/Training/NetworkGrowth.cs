using Diffusion.Checkpoints;
using Diffusion.Networks;

namespace Diffusion.Training;

/// <summary>
/// Gives a trained ADM UNet more residual blocks without changing its function, so that training goes on from where the smaller network
/// ended (Chen et al., "Net2Net", 2016).
/// </summary>
/// <remarks>
/// A new block on the way down is the identity, because its last convolution starts at zero. On the way up, the first block of a level sees
/// the output kept last, which now comes from a new block but is the same;
/// the blocks inserted after it pass their features through a skip convolution [I 0] and ignore what is kept beside.
/// </remarks>
public static class NetworkGrowth
{
    /// <summary>Fills <paramref name="target"/> with the function of <paramref name="source"/>.</summary>
    /// <param name="source">A loaded network.</param>
    /// <param name="target">Equal but for more residual blocks a level.</param>
    /// <param name="seed">Seed of the new blocks' inner weights.</param>
    /// <exception cref="ArgumentException">The networks differ in more than that.</exception>
    public static void Fill(AdmUNet source, AdmUNet target, ulong seed = 0)
    {
        int before = source.Config.NumResBlocks,
            after = target.Config.NumResBlocks;
        if (after < before || !SameApartFromBlocks(source.Config, target.Config))
            throw new ArgumentException(
                "A network can only grow into one that has more residual blocks a level and is equal otherwise. Keep channels, "
                    + "multipliers and attention as they are."
            );
        target.Initialize(seed);
        Dictionary<string, Parameter> known = source.Parameters.ToDictionary(p => p.Name);
        using var noGrad = torch.no_grad();
        foreach (Parameter parameter in target.Parameters)
        {
            if (Origin(parameter.Name, before, after) is { } origin)
                parameter.Value = known[origin].Value.to(target.DtypeOf(parameter), copy: true);
            else if (parameter.Name.StartsWith("output_blocks", StringComparison.Ordinal) && parameter.Name.Contains(".0.skip_connection."))
                parameter.Value = PassThrough(parameter).to(target.DtypeOf(parameter));
        }
    }

    private static bool SameApartFromBlocks(AdmUNetConfig a, AdmUNetConfig b)
    {
        AdmUNetConfig like = b with
        {
            NumResBlocks = a.NumResBlocks,
            ChannelMult = a.ChannelMult,
            AttentionResolutions = a.AttentionResolutions,
            ImageSize = a.ImageSize,
        };
        if (a.NumHeadChannels != -1)
            like = like with { NumHeads = a.NumHeads, NumHeadsUpsample = a.NumHeadsUpsample }; // the width of a head decides
        return like == a
            && a.ChannelMult.SequenceEqual(b.ChannelMult)
            && a.AttentionResolutions.Order().SequenceEqual(b.AttentionResolutions.Order());
    }

    /// <summary>The name in the smaller network; null for parameters of new blocks.</summary>
    private static string? Origin(string name, int before, int after)
    {
        string[] parts = name.Split('.');
        if (parts[0] == "input_blocks" && int.Parse(parts[1]) is > 0 and int input)
        {
            // A level is its residual blocks and the one that halves the picture.
            (int level, int at) = Math.DivRem(input - 1, after + 1);
            if (at >= before && at < after)
                return null;
            parts[1] = $"{1 + level * (before + 1) + (at == after ? before : at)}";
        }
        else if (parts[0] == "output_blocks")
        {
            (int level, int at) = Math.DivRem(int.Parse(parts[1]), after + 1);
            if (at > 0 && at <= after - before)
                return null;
            parts[1] = $"{level * (before + 1) + (at == 0 ? 0 : at - (after - before))}";
        }
        return string.Join('.', parts);
    }

    /// <summary>A 1x1 convolution [I 0], or its zero bias.</summary>
    private static Tensor PassThrough(Parameter parameter)
    {
        if (parameter.Shape.Length == 1)
            return torch.zeros(parameter.Shape);
        using DisposeScope scope = torch.NewDisposeScope();
        return torch.eye(parameter.Shape[0], parameter.Shape[1]).reshape(parameter.Shape).MoveToOuterDisposeScope();
    }
}
